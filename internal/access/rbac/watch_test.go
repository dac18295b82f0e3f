// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/logs"
)

// watchRights makes a test's authorizer watch changes, and waits until the watch works.
func (w *testCluster) watchRights(t *testing.T, authorizer *Authorizer, listeners ...func([]Change)) {
	t.Helper()
	httpClient, err := rest.HTTPClientFor(w.Config)
	if err != nil {
		t.Fatal(err)
	}
	watch, err := NewWatch(w.Config, httpClient, authorizer, logr.Discard(), listeners...)
	if err != nil {
		t.Fatal(err)
	}
	testenv.Background(t, watch.Start)
	testenv.Eventually(t, "rights are watched", func(context.Context) error {
		if !authorizer.Watched() {
			return errors.New("they are not")
		}
		return nil
	})
}

// notified collects the changes that a Watch reports.
type notified struct {
	mu      sync.Mutex
	changes []Change
}

func (x *notified) hear(c []Change) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.changes = append(x.changes, c...)
}

// take returns and removes the changes of a namespace or of a ServiceAccount in it: other tests change permissions too.
func (x *notified) take(namespace string) map[Change]bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	out := map[Change]bool{}
	for _, c := range x.changes {
		if c.Namespace == namespace || c.Subject.Namespace == namespace {
			out[c] = true
		}
	}
	x.changes = nil
	return out
}

// TestWatch changes permissions in every way, and checks whose permissions are reported as changed.
func TestWatch(t *testing.T) {
	t.Parallel()
	x := &notified{}
	w := newTestCluster(t)
	w.watchRights(t, w.authorizer, x.hear)
	ns := w.namespace
	own := rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: ns, Name: account}
	everybody := rbacv1.Subject{Kind: rbacv1.GroupKind, APIGroup: rbacv1.GroupName, Name: "system:serviceaccounts"}
	human := rbacv1.Subject{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: "jane"}
	here, everywhere := Change{Subject{ns, account}, ns}, Change{Subject{ns, account}, ""}

	meta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: ns, Name: name} }
	cluster := metav1.ObjectMeta{Name: ns}
	role := &rbacv1.Role{ObjectMeta: meta("role")}
	clusterRole := &rbacv1.ClusterRole{ObjectMeta: cluster}
	unbound := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: ns + "-unbound"}}
	toRole := &rbacv1.RoleBinding{ObjectMeta: meta("to-role"), RoleRef: refTo("Role", "role"), Subjects: []rbacv1.Subject{own, human}}
	toCluster := &rbacv1.RoleBinding{ObjectMeta: meta("to-cluster-role"), RoleRef: refTo("ClusterRole", ns), Subjects: []rbacv1.Subject{everybody}}
	ofCluster := &rbacv1.ClusterRoleBinding{ObjectMeta: cluster, RoleRef: refTo("ClusterRole", ns), Subjects: []rbacv1.Subject{own}}
	rules := []rbacv1.PolicyRule{{Verbs: []string{"get"}, APIGroups: []string{items.Group}, Resources: []string{"items"}}}

	for _, step := range []struct {
		name string
		do   func() error
		want []Change
	}{
		{"a Role that nobody is bound to", func() error { return w.Client.Create(t.Context(), role) }, nil},
		{"a RoleBinding comes", func() error { return w.Client.Create(t.Context(), toRole) }, []Change{here}},
		{"its Role changes", func() error { role.Rules = rules; return w.Client.Update(t.Context(), role) }, []Change{here}},
		{
			"its subjects change", func() error {
				toRole.Subjects = []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: "other", Namespace: ns}}
				return w.Client.Update(t.Context(), toRole)
			},
			[]Change{here, {Subject{ns, "other"}, ns}},
		},
		{"it goes", func() error { return w.Client.Delete(t.Context(), toRole) }, []Change{{Subject{ns, "other"}, ns}}},
		{"a RoleBinding to a ClusterRole that is not there", func() error { return w.Client.Create(t.Context(), toCluster) }, []Change{{Namespace: ns}}},
		{"the ClusterRole comes", func() error { return w.Client.Create(t.Context(), clusterRole) }, []Change{{Namespace: ns}}},
		{"a ClusterRoleBinding comes", func() error { return w.Client.Create(t.Context(), ofCluster) }, []Change{everywhere}},
		{
			"the ClusterRole changes", func() error { clusterRole.Rules = rules; return w.Client.Update(t.Context(), clusterRole) },
			[]Change{{Namespace: ns}, everywhere},
		},
		{"the ClusterRoleBinding goes", func() error { return w.Client.Delete(t.Context(), ofCluster) }, []Change{everywhere}},
		{"the ClusterRole goes", func() error { return w.Client.Delete(t.Context(), clusterRole) }, []Change{{Namespace: ns}}},
		{"a ClusterRole that nobody is bound to", func() error { return w.Client.Create(t.Context(), unbound) }, nil},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		got := map[Change]bool{}
		check := func(context.Context) error {
			maps.Copy(got, x.take(ns))
			want := map[Change]bool{}
			for _, c := range step.want {
				want[c] = true
			}
			if diff := cmp.Diff(want, got); diff != "" {
				return errors.New(diff)
			}
			return nil
		}
		if len(step.want) == 0 {
			testenv.Consistently(t, step.name, 200*time.Millisecond, check)
		} else {
			testenv.Eventually(t, step.name, check)
		}
	}
}

func refTo(kind, name string) rbacv1.RoleRef {
	return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: name}
}

// TestWatch_forbidden is an operator of an older installation: it continues, logs once that it lacks the
// permission, and watches as soon as it is granted.
func TestWatch_forbidden(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	name := w.namespace + "-operator"
	older := w.User(t, name)
	httpClient, err := rest.HTTPClientFor(older)
	if err != nil {
		t.Fatal(err)
	}
	var logged logs.Recorder
	authorizer := NewAuthorizer(nil, w.clock)
	watch, err := NewWatch(older, httpClient, authorizer, logged.Logger())
	if err != nil {
		t.Fatal(err)
	}
	testenv.Background(t, watch.Start)
	testenv.Eventually(t, "it says so", func(context.Context) error {
		if len(logged.Lines()) == 0 {
			return errors.New("it says nothing")
		}
		return nil
	})
	testenv.Consistently(t, "once", 2*time.Second, func(context.Context) error {
		if got := logged.Lines(); len(got) != 1 || !strings.Contains(got[0], "cannot watch Roles") {
			return fmt.Errorf("it says %q", got)
		}
		if authorizer.Watched() {
			return errors.New("it reports that changes are watched")
		}
		return nil
	})
	w.GrantCluster(t, testenv.UserSubject(name), rbacv1.PolicyRule{
		Verbs: []string{"list", "watch"}, APIGroups: []string{rbacv1.GroupName},
		Resources: []string{"roles", "clusterroles", "rolebindings", "clusterrolebindings"},
	})
	testenv.Eventually(t, "it watches", func(context.Context) error {
		if !authorizer.Watched() {
			return errors.New("it does not")
		}
		return nil
	})
}

// breakableNetwork is a network whose connections can be cut.
type breakableNetwork struct {
	mu     sync.Mutex
	cut    bool
	bodies []io.Closer
}

func (f *breakableNetwork) wrap(next http.RoundTripper) http.RoundTripper {
	return testenv.RoundTrip(func(req *http.Request) (*http.Response, error) {
		f.mu.Lock()
		cut := f.cut
		f.mu.Unlock()
		if cut {
			return nil, errors.New("the network is down")
		}
		response, err := next.RoundTrip(req)
		if err == nil {
			f.mu.Lock()
			f.bodies = append(f.bodies, response.Body)
			f.mu.Unlock()
		}
		return response, err
	})
}

func (f *breakableNetwork) set(cut bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cut = cut
	if cut {
		for _, b := range f.bodies {
			b.Close()
		}
		f.bodies = nil
	}
}

// TestWatch_cut interrupts the watches: decisions have shorter lifetimes until the watches are back, and changes
// in the meantime are observed.
func TestWatch_cut(t *testing.T) {
	t.Parallel()
	w, network := newTestCluster(t), &breakableNetwork{}
	config := rest.CopyConfig(w.Config)
	config.Wrap(network.wrap)
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	authorizer, x := w.authorizer, &notified{}
	watch, err := NewWatch(config, httpClient, authorizer, logr.Discard(), x.hear)
	if err != nil {
		t.Fatal(err)
	}
	testenv.Background(t, watch.Start)
	watched := func(want bool) {
		t.Helper()
		testenv.Eventually(t, fmt.Sprintf("rights are watched: %t", want), func(context.Context) error {
			if authorizer.Watched() != want {
				return fmt.Errorf("it is %t", !want)
			}
			return nil
		})
	}
	watched(true)
	network.set(true)
	watched(false)
	x.take("")
	w.Grant(t, w.namespace, "get", items.Group, "items")
	network.set(false)
	watched(true)
	testenv.Eventually(t, "what changed meanwhile is heard of", func(context.Context) error {
		if !x.take(w.namespace)[Change{Subject{w.namespace, account}, w.namespace}] {
			return errors.New("it is not")
		}
		return nil
	})
}
