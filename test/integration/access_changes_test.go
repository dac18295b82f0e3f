// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/testenv"
)

// counting counts the access reviews of an operator, which it restarts for that.
func (o *operator) counting(t *testing.T) *atomic.Int64 {
	t.Helper()
	var reviews atomic.Int64
	o.end(t)
	o.config = rest.CopyConfig(o.config)
	o.config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(req *http.Request) (*http.Response, error) {
			if strings.HasSuffix(req.URL.Path, "/subjectaccessreviews") {
				reviews.Add(1)
			}
			return next.RoundTrip(req)
		})
	})
	o.start(t)
	return &reviews
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Roles that change all the time cost next to nothing: those of nobody's accounts nothing at all, those
// of a plugin's a look a second.
func TestWasmPlugin_rightsChangeOften(t *testing.T) {
	o := startOperator(t)
	reviews := o.counting(t)
	n := newTenant(t, o.env, annotatorRules()...)
	bound := &rbacv1.Role{ObjectMeta: n.meta("changing"), Rules: annotatorRules()}
	unbound := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: n.ns}}
	n.create(t, bound)
	n.create(t, unbound)
	n.create(t, &rbacv1.RoleBinding{
		ObjectMeta: n.meta("changing"),
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "changing"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: n.ns, Name: "plugin"}},
	})
	n.store(t, "annotator", fixture(t, "annotator.wasm"))
	n.plugin(t, "annotator")
	n.expectReady(t, "annotator")
	quiet(t, reviews)

	const changes = 200
	for i := range changes {
		unbound.Labels = map[string]string{"i": fmt.Sprint(i)}
		if err := n.env.Client.Update(t.Context(), unbound); err != nil {
			t.Fatal(err)
		}
	}
	testenv.Consistently(t, "a ClusterRole that is nobody's", 2*time.Second, func(context.Context) error {
		if made := reviews.Load(); made > 0 {
			return fmt.Errorf("%d reviews are made", made)
		}
		return nil
	})
	start := time.Now()
	for i := range changes {
		bound.Labels = map[string]string{"i": fmt.Sprint(i)}
		if err := n.env.Client.Update(t.Context(), bound); err != nil {
			t.Fatal(err)
		}
	}
	testenv.Eventually(t, "the plugin's rights are looked at", func(context.Context) error {
		if reviews.Load() == 0 {
			return errors.New("they are not")
		}
		return nil
	})
	// Two reviews for each look.
	took := time.Since(start)
	if got, most := reviews.Load(), int64(2*(2+took/time.Second)); got > most {
		t.Errorf("%d changes in %s led to %d reviews, want %d at most", changes, took, got, most)
	}
	t.Logf("%d changes in %s led to %d reviews", changes, took, reviews.Load())
}

// quiet waits until no reviews are made any more, and begins to count.
func quiet(t *testing.T, reviews *atomic.Int64) {
	t.Helper()
	var since time.Time
	testenv.Eventually(t, "reviews end", func(context.Context) error {
		if reviews.Swap(0) > 0 || since.IsZero() {
			since = time.Now()
		}
		if calm := time.Since(since); calm < 9*time.Second { // the pauses after a change get this long
			return fmt.Errorf("the last was %s ago", calm)
		}
		return nil
	})
}

// A plugin that is refused again and again is told of, and everything that it was refused, and did, is
// in the audit log.
func TestWasmPlugin_audit(t *testing.T) {
	o := startOperator(t)
	o.end(t)
	o.audit = filepath.Join(t.TempDir(), "audit.log")
	o.start(t)
	n := newTenant(t, o.env, rule("categories", "list", "watch"))
	n.store(t, "reader", localFixture(t, "reader.wasm"))
	n.plugin(t, "reader", func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.Settings = &runtime.RawExtension{Raw: fmt.Appendf(nil,
			`{"apiVersion":"inventory.example.com/v1alpha1","kind":"Category","namespace":%q,"name":"c-0"}`, n.ns)}
	})
	n.expectReady(t, "reader")
	for i := range 25 {
		n.category(t, fmt.Sprintf("c-%d", i))
	}
	n.expectEvent(t, "reader", "RequestsRefused", "20 of the plugin's requests were refused within", "get categories.inventory.example.com")

	m := newTenant(t, o.env, annotatorRules()...)
	m.store(t, "annotator", fixture(t, "annotator.wasm"))
	m.plugin(t, "annotator")
	m.category(t, "tools")
	m.expectAnnotated(t, "tools")
	wp, err := m.get(t.Context(), "annotator")
	if err != nil {
		t.Fatal(err)
	}
	o.end(t) // which writes what waits

	var refused, allowed int
	for _, r := range readAudit(t, o.audit) {
		switch {
		case r.Plugin == n.ns+"/reader" && r.Decision == access.DecisionRefused && r.Layer == "rbac" && r.Name == "c-0" && r.Verb == "get":
			refused++
		case r.Plugin == m.ns+"/annotator" && r.Decision == access.DecisionAllowed && r.Verb == "patch" && r.Name == "tools" &&
			r.Account == "system:serviceaccount:"+m.ns+":plugin" && r.Revision == wp.Status.Revision.Digest && r.LatencyMicros > 0:
			allowed++
		}
	}
	if refused < 20 || allowed == 0 {
		t.Errorf("%d refusals and %d writes are recorded, want 20 and 1 at least", refused, allowed)
	}
}

func readAudit(t *testing.T, path string) []access.Record {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var out []access.Record
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var r access.Record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		out = append(out, r)
	}
	return out
}
