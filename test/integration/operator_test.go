// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/k1s-io/k1s/cmd/manager/app"
	"github.com/k1s-io/k1s/internal/testenv"
)

// operatorUser is a user that has only the permissions of the operator.
const operatorUser = "k1s-operator"

// operator is an operator that runs in this process.
type operator struct {
	env    *testenv.Env
	config *rest.Config
	dir    string // the plugin directory
	cache  string
	audit  string // the path of the audit log, if there is one
	ns     string // the operator's own namespace
	log    logr.Logger
	// configure changes the options of the next start.
	configure []func(*app.Options)
	stop      context.CancelFunc
	done      chan error
}

// startOperator starts an operator, which is stopped at the end of the test. Only one test at a time can have an
// operator, because all of them use the same API server.
func startOperator(t *testing.T, configure ...func(*app.Options)) *operator {
	t.Helper()
	env := testenv.Shared(t)
	config := rest.CopyConfig(env.User(t, operatorUser))
	config.QPS = -1 // as ctrl.GetConfig has it
	o := &operator{env: env, config: config, configure: configure, log: testLog(), dir: filepath.Join(t.TempDir(), "plugins"), cache: t.TempDir(), ns: env.Namespace(t)}
	env.GrantOperator(t, operatorUser, o.ns)
	if err := os.Mkdir(o.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	o.start(t)
	t.Cleanup(func() { o.end(t) })
	return o
}

// pollsOften shortens the polling interval, for tests in which a plugin waits for something that no event reports.
func pollsOften(o *app.Options) { o.Timing.PollAfter, o.Registries.MinPoll = time.Second, time.Second }

func (o *operator) start(t *testing.T) {
	t.Helper()
	options := operatorOptions(o.ns, o.dir, o.cache)
	options.AuditLog = o.audit
	for _, configure := range o.configure {
		configure(&options)
	}
	ctx, stop := context.WithCancel(context.Background())
	o.stop, o.done = stop, make(chan error, 1)
	go func() { o.done <- app.Run(ctx, o.config, options, o.log) }()
}

// end stops the operator and waits until it has stopped.
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

// testLog writes the operator's log to standard error when K1S_TEST_LOG is set.
func testLog() logr.Logger {
	if os.Getenv("K1S_TEST_LOG") == "" {
		return logr.Discard()
	}
	return zap.New(zap.UseDevMode(true))
}
