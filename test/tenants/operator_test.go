// SPDX-License-Identifier: Apache-2.0

package tenants

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/rest"

	"github.com/k1s-io/k1s/cmd/manager/app"
	"github.com/k1s-io/k1s/internal/access/audit"
	"github.com/k1s-io/k1s/internal/testenv"
)

// operatorUser is a user with the permissions of the operator's own ClusterRole, and no others.
const operatorUser = "k1s-operator"

// operator is an operator that runs in this process.
type operator struct {
	env   *testenv.Env
	audit string
	stop  context.CancelFunc
	done  chan error

	mu sync.Mutex
	// logs are the messages that guests have logged, by plugin ("namespace/name").
	logs map[string][]string
}

// startOperator starts an operator, which is stopped at the end of the test.
func startOperator(t *testing.T, configure ...func(*app.Options)) *operator {
	t.Helper()
	env := testenv.Shared(t)
	o := &operator{env: env, audit: filepath.Join(t.TempDir(), "audit.log"), done: make(chan error, 1), logs: map[string][]string{}}
	options := app.DefaultOptions()
	options.MetricsAddress, options.ProbeAddress, options.WebhookAddress = "0", "0", "0"
	options.Namespace = env.Namespace(t)
	options.PluginDir, options.CacheDir, options.AuditLog = t.TempDir(), filepath.Join(t.TempDir(), "compiled"), o.audit
	options.Registerer = prometheus.NewRegistry()
	options.SkipNameValidation = true
	options.Compiler = os.Args[0]
	env.GrantOperator(t, operatorUser, options.Namespace)
	for _, c := range configure {
		c(&options)
	}
	config := rest.CopyConfig(env.User(t, operatorUser))
	config.QPS = -1 // the value of ctrl.GetConfig
	ctx, stop := context.WithCancel(context.Background())
	o.stop = stop
	go func() { o.done <- app.Run(ctx, config, options, funcr.NewJSON(o.logged, funcr.Options{})) }()
	t.Cleanup(func() { o.end(t) })
	return o
}

// end stops the operator, which writes the rest of the audit log.
func (o *operator) end(t *testing.T) {
	t.Helper()
	if o.stop == nil {
		return
	}
	o.stop()
	o.stop = nil
	if err := <-o.done; err != nil {
		t.Errorf("the operator ended with: %v", err)
	}
}

// logged processes a line of the operator's log.
func (o *operator) logged(line string) {
	if os.Getenv("K1S_TEST_LOG") != "" {
		fmt.Fprintln(os.Stderr, line)
	}
	var entry struct {
		Logger, Plugin, Msg string
	}
	if json.Unmarshal([]byte(line), &entry) != nil || entry.Logger != "guest" {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.logs[entry.Plugin] = append(o.logs[entry.Plugin], entry.Msg)
}

// everything returns all messages that a plugin has logged.
func (o *operator) everything(plugin string) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.logs[plugin]...)
}

// records reads the audit log, and returns each record of a plugin in the format of recordLine.
func (o *operator) records(t *testing.T) map[string]map[string]int {
	t.Helper()
	file, err := os.Open(o.audit)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	out := map[string]map[string]int{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var r struct {
			audit.Record
			Dropped int64 `json:"dropped"`
		}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		if r.Dropped > 0 {
			t.Errorf("%d records are lost", r.Dropped)
		}
		if out[r.Plugin] == nil {
			out[r.Plugin] = map[string]int{}
		}
		out[r.Plugin][recordLine(r.Record)]++
	}
	return out
}

// recordLine returns a Record in the format of the test tables: "verb resource[.group][/subresource] namespace/name
// decision [layer] [reason]", for HTTP "verb http host …".
func recordLine(r audit.Record) string {
	what := r.Resource
	if r.Group != "" {
		what += "." + r.Group
	}
	if r.Subresource != "" {
		what += "/" + r.Subresource
	}
	where := r.Namespace + "/" + randomPart.ReplaceAllString(r.Name, ".*")
	if r.Host != "" {
		where = r.Host
	}
	return strings.Join(strings.Fields(strings.Join([]string{r.Verb, what, where, r.Decision, r.Layer, r.Reason}, " ")), " ")
}

// randomPart matches the random part of the names of Events.
var randomPart = regexp.MustCompile(`\.[a-z0-9]{16}$`)
