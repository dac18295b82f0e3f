// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/cmd/manager/app"
	"github.com/k1s-io/k1s/internal/access/audit"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin"
	"github.com/k1s-io/k1s/internal/testenv"
)

// reviews counts SubjectAccessReviews by the namespace of the ServiceAccount that they are about.
type reviews struct {
	mu    sync.Mutex
	count map[string]int
}

func (r *reviews) of(n tenant) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count[n.NS]
}

// counting restarts an operator with the given timing, and counts the SubjectAccessReviews that it creates from then
// on.
func (o *operator) counting(t *testing.T, timing wasmplugin.Timing) *reviews {
	t.Helper()
	r := &reviews{count: map[string]int{}}
	o.end(t)
	o.configure = append(o.configure, func(options *app.Options) { options.Timing = timing })
	o.config = rest.CopyConfig(o.config)
	o.config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(req *http.Request) (*http.Response, error) {
			if strings.HasSuffix(req.URL.Path, "/subjectaccessreviews") {
				r.add(t, req)
			}
			return next.RoundTrip(req)
		})
	})
	o.start(t)
	return r
}

// accountOf finds the ServiceAccount in a SubjectAccessReview, whichever encoding the request has.
var accountOf = regexp.MustCompile(`system:serviceaccount:([a-z0-9-]+):plugin`)

func (r *reviews) add(t *testing.T, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		t.Errorf("read a review: %v", err)
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	if account := accountOf.FindSubmatch(body); account != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.count[string(account[1])]++
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// roleChanges is how often the tests of the cost of RBAC changes change a role.
const roleChanges = 200

// changeOften updates a role roleChanges times.
func (n tenant) changeOften(t *testing.T, role client.Object) {
	t.Helper()
	for i := range roleChanges {
		role.SetLabels(map[string]string{"i": fmt.Sprint(i)})
		n.Update(t, role)
	}
}

// bindTo binds a role to the ServiceAccount "plugin".
func (n tenant) bindTo(t *testing.T, kind, role string) {
	t.Helper()
	n.Create(t, &rbacv1.RoleBinding{
		ObjectMeta: n.Meta("to-" + role),
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: role},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: n.NS, Name: "plugin"}},
	})
}

// TestWasmPlugin_rightsChangeOften checks that the permissions of a plugin are checked only once per Timing.CheckEvery,
// however often the role of its ServiceAccount changes.
func TestWasmPlugin_rightsChangeOften(t *testing.T) {
	o := startOperator(t)
	reviews := o.counting(t, wasmplugin.Timing{CheckEvery: time.Hour})
	n := newTenant(t, o.env, annotatorRules()...)
	role := &rbacv1.Role{ObjectMeta: n.Meta("changing"), Rules: annotatorRules()}
	n.Create(t, role)
	n.bindTo(t, "Role", role.Name)
	n.Store(t, "annotator", conformanceFixture(t, "annotator.wasm"))
	n.Plugin(t, "annotator")
	n.ExpectReady(t, "annotator")

	// The operator receives the events of Roles in order. A plugin whose write is forbidden until its own Role changes
	// therefore shows how many of these events the operator has received.
	last := newTenant(t, o.env, rule("categories", "list", "watch"))
	last.Store(t, "annotator", conformanceFixture(t, "annotator.wasm"))
	last.Plugin(t, "annotator")
	last.ExpectReady(t, "annotator")
	last.category(t, "tools")
	testenv.Eventually(t, "the write is denied", func(context.Context) error {
		if reviews.of(last) < 3 { // for list, watch and patch
			return fmt.Errorf("%d reviews", reviews.of(last))
		}
		return nil
	})

	before := reviews.of(n)
	n.changeOften(t, role)
	final := &rbacv1.Role{ObjectMeta: last.Meta("plugin"), Rules: annotatorRules()}
	o.env.Update(t, final)
	last.expectAnnotated(t, "tools")
	// A check is two reviews. A second check is possible, for the changes during the first one.
	if got := reviews.of(n) - before; got > 2*2 {
		t.Errorf("%d changes led to %d reviews, want 4 at most", roleChanges, got)
	}
}

// TestWasmPlugin_rightsOfOthersChange checks that changes to a role that is not bound to the ServiceAccount of a plugin
// do not cause SubjectAccessReviews.
func TestWasmPlugin_rightsOfOthersChange(t *testing.T) {
	o := startOperator(t)
	reviews := o.counting(t, wasmplugin.Timing{CheckEvery: time.Millisecond, SettleTime: time.Millisecond})
	n := newTenant(t, o.env, annotatorRules()...)
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: n.NS}}
	n.Create(t, role)
	n.Store(t, "annotator", conformanceFixture(t, "annotator.wasm"))
	n.Plugin(t, "annotator")
	n.ExpectReady(t, "annotator")

	before := reviews.of(n)
	n.changeOften(t, role)
	unbound := reviews.of(n) - before
	// The operator receives the events in order: when it has received one that affects the plugin, it has received all
	// of the earlier ones.
	checked := func(what string, change func()) {
		t.Helper()
		seen := reviews.of(n)
		change()
		testenv.Eventually(t, what+" has the rights checked", func(context.Context) error {
			if reviews.of(n) == seen {
				return errors.New("there is no review")
			}
			return nil
		})
	}
	checked("a binding", func() { n.bindTo(t, "ClusterRole", role.Name) })
	checked("a change of the role", func() {
		role.Labels = map[string]string{"i": "last"}
		n.Update(t, role)
	})
	// Some reviews are for the changes at the beginning and at the end of the test.
	if got := reviews.of(n) - before; got > roleChanges/4 {
		t.Errorf("%d changes led to %d reviews, %d of them meanwhile, want next to none", roleChanges, got, unbound)
	}
}

// TestWasmPlugin_audit checks that an Event reports a plugin whose requests are denied repeatedly, and that the audit
// log records every denied request and every write.
func TestWasmPlugin_audit(t *testing.T) {
	o := startOperator(t)
	o.end(t)
	o.audit = filepath.Join(t.TempDir(), "audit.log")
	o.start(t)
	n := newTenant(t, o.env, rule("categories", "list", "watch"))
	n.Store(t, "reader", localFixture(t, "reader.wasm"))
	n.Plugin(t, "reader", func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.Settings = &runtime.RawExtension{Raw: fmt.Appendf(nil,
			`{"apiVersion":"inventory.example.com/v1alpha1","kind":"Category","namespace":%q,"name":"c-0"}`, n.NS)}
	})
	n.ExpectReady(t, "reader")
	for i := range 25 {
		n.category(t, fmt.Sprintf("c-%d", i))
	}
	n.expectEvent(t, "reader", "RequestsDenied", "20 of the plugin's requests were denied within", "get categories.inventory.example.com")

	m := newTenant(t, o.env, annotatorRules()...)
	m.Store(t, "annotator", conformanceFixture(t, "annotator.wasm"))
	m.Plugin(t, "annotator")
	m.category(t, "tools")
	m.expectAnnotated(t, "tools")
	wp, err := m.GetPlugin(t.Context(), "annotator")
	if err != nil {
		t.Fatal(err)
	}
	o.end(t) // which flushes the audit log

	var denied, allowed int
	for _, r := range readAudit(t, o.audit) {
		switch {
		case r.Plugin == n.NS+"/reader" && r.Decision == audit.DecisionDenied && r.Layer == "rbac" && r.Name == "c-0" && r.Verb == "get":
			denied++
		case r.Plugin == m.NS+"/annotator" && r.Decision == audit.DecisionAllowed && r.Verb == "patch" && r.Name == "tools" &&
			r.Account == "system:serviceaccount:"+m.NS+":plugin" && r.Revision == wp.Status.Revision.Digest && r.LatencyMicros > 0:
			allowed++
		}
	}
	if denied < 20 || allowed == 0 {
		t.Errorf("%d denials and %d writes are recorded, want 20 and 1 at least", denied, allowed)
	}
}

func readAudit(t *testing.T, path string) []audit.Record {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var out []audit.Record
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var r audit.Record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		out = append(out, r)
	}
	return out
}
