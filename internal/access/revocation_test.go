// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k1s-io/k1s/internal/testenv"
)

// watchRights makes a world's authorizer watch changes, and waits until the watch works.
func (w *world) watchRights(t *testing.T, authorizer *Authorizer, listeners ...func([]Change)) {
	t.Helper()
	httpClient, err := rest.HTTPClientFor(w.Config)
	if err != nil {
		t.Fatal(err)
	}
	watch, err := NewRightsWatch(w.Config, httpClient, authorizer, logr.Discard(), listeners...)
	if err != nil {
		t.Fatal(err)
	}
	background(t, watch.Start)
	testenv.Eventually(t, "rights are watched", func(context.Context) error {
		if !authorizer.Watched() {
			return errors.New("they are not")
		}
		return nil
	})
}

// TestRevocation deletes a RoleBinding, again and again. The plugin's reads, which the cache answers, are denied then.
// The clock stands still, so that no decision expires by its age, until the change has caused a review. The API
// server's answer to that review may still be outdated, and is cached for a moment only.
func TestRevocation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.watchRights(t, w.factory.authorizer)
	w.thing(t, w.namespace)
	w.cache(t, items)
	c := w.client(t, watching(items))
	read := func() error {
		_, err := c.Get(t.Context(), itemKey(w.namespace, "thing"))
		return err
	}
	for range 9 {
		w.grant(t, w.namespace, "get", items.Group, "items")
		w.eventually(t, "a read is answered", read)
		reviews := w.requests.count(reviewPath)
		w.unbind(t)
		start, seen, step := time.Now(), reviews, 2*believeAtLeast
		w.eventually(t, "a read is denied", func() error {
			switch err := read(); {
			case apierrors.IsForbidden(err):
				return nil
			case err != nil:
				t.Fatal(err)
			}
			if made := w.requests.count(reviewPath); made > seen {
				w.clock.Step(step)
				seen, step = made, min(2*step, 2*allowFor)
			}
			return errors.New("it is answered")
		})
		t.Logf("denied after %s and %d reviews", time.Since(start), w.requests.count(reviewPath)-reviews)
	}
}

// unbind revokes all permissions of the ServiceAccount in its namespace, without waiting.
func (w *world) unbind(t *testing.T) {
	t.Helper()
	if err := w.Client.DeleteAllOf(t.Context(), &rbacv1.RoleBinding{}, client.InNamespace(w.namespace)); err != nil {
		t.Fatal(err)
	}
}

// TestAuthorizer_drop invalidates the decisions that a change can affect, and no others.
func TestAuthorizer_drop(t *testing.T) {
	t.Parallel()
	a := newAsking(t)
	a.grant(t, a.namespace, "get", items.Group, "items")
	a.want("first", a.action(""), true, 1)
	own := Subject{Namespace: a.namespace, ServiceAccount: account}
	for _, tc := range []struct {
		name    string
		change  Change
		reviews int
	}{
		{"the account, here", Change{own, a.namespace}, 1},
		{"the account, everywhere", Change{own, ""}, 1},
		{"the account, elsewhere", Change{own, "elsewhere"}, 0},
		{"another account, here", Change{Subject{a.namespace, "other"}, a.namespace}, 0},
		{"an account of that name in another namespace", Change{Subject{"elsewhere", account}, ""}, 0},
		{"all accounts of the namespace, here", Change{Subject{Namespace: a.namespace}, a.namespace}, 1},
		{"all accounts of another namespace", Change{Subject{Namespace: "elsewhere"}, ""}, 0},
		{"everybody, here", Change{Subject{}, a.namespace}, 1},
		{"everybody, elsewhere", Change{Subject{}, "elsewhere"}, 0},
		{"everything", Change{}, 1},
	} {
		a.factory.authorizer.Drop(tc.change)
		a.want(tc.name, a.action(""), true, tc.reviews)
		a.clock.Step(time.Millisecond)
	}
}

// TestAuthorizer_rightAfterChange checks that a decision is cached for as long as the change before it was old.
func TestAuthorizer_rightAfterChange(t *testing.T) {
	t.Parallel()
	a := newAsking(t)
	a.grant(t, a.namespace, "get", items.Group, "items")
	a.factory.authorizer.Watch(true) // counts as a change
	var age time.Duration
	for range 6 {
		believed := max(believeAtLeast, age)
		a.want("asked after "+age.String(), a.action(""), true, 1)
		a.clock.Step(believed)
		a.want("to the end of "+believed.String(), a.action(""), true, 0)
		a.clock.Step(time.Nanosecond)
		age += believed + time.Nanosecond
	}
	a.clock.Step(time.Hour)
	a.want("long after", a.action(""), true, 1)
	a.clock.Step(allowFor)
	a.want("to the end of its time", a.action(""), true, 0)
	a.clock.Step(time.Millisecond)
	a.want("after its time", a.action(""), true, 1)

	denied := a.action("")
	denied.Verb = "delete"
	a.want("denied", denied, false, 1)
	a.clock.Step(denyFor)
	a.want("denied, to the end of its time", denied, false, 0)
	a.clock.Step(time.Millisecond)
	a.want("denied, after its time", denied, false, 1)
}

// TestAuthorizer_watchLost checks that decisions that were cached for a minute expire earlier once changes are not
// watched.
func TestAuthorizer_watchLost(t *testing.T) {
	t.Parallel()
	a := newAsking(t)
	a.grant(t, a.namespace, "get", items.Group, "items")
	a.factory.authorizer.Watch(true)
	a.clock.Step(time.Hour)
	a.want("watched", a.action(""), true, 1)
	a.clock.Step(allowUnwatched)
	a.factory.authorizer.Watch(false)
	a.want("to the end of the shorter time", a.action(""), true, 0)
	a.clock.Step(time.Millisecond)
	a.want("after it", a.action(""), true, 1)
	a.factory.authorizer.Watch(true)
	a.want("nobody knows what was missed", a.action(""), true, 1)
}

// TestAuthorizer_dropInFlight changes permissions while a review is in progress: its answer is not cached, and later
// callers do not get it either.
func TestAuthorizer_dropInFlight(t *testing.T) {
	t.Parallel()
	a := newAsking(t)
	a.grant(t, a.namespace, "get", items.Group, "items")
	asked, answer := make(chan struct{}, 10), make(chan struct{})
	a.requests.intercept(func(*http.Request) error {
		asked <- struct{}{}
		<-answer
		return nil
	})
	var callers sync.WaitGroup
	ask := func() {
		callers.Go(func() {
			if d, err := a.factory.authorizer.Authorize(t.Context(), a.id, a.action("")); err != nil || !d.Allowed {
				t.Errorf("got %+v, %v", d, err)
			}
		})
	}
	ask()
	<-asked
	a.factory.authorizer.Drop(Change{Namespace: a.namespace})
	ask()
	<-asked // a review of its own
	a.factory.authorizer.Drop(Change{Namespace: a.namespace})
	close(answer)
	callers.Wait()
	a.requests.intercept(nil)
	a.want("neither answer is kept", a.action(""), true, 1)
	a.want("this one is", a.action(""), true, 0)
}

func TestLedger_bounded(t *testing.T) {
	t.Parallel()
	clk := clocktesting.NewFakeClock(time.Now())
	l := newLedger(clk)
	account := func(i int) Change { return Change{Subject{"ns", strconv.Itoa(i)}, ""} }
	for i := range maxMarks {
		l.note([]Change{account(i)})
	}
	clk.Step(keepMarks + 1)
	l.note([]Change{account(-1)})
	if len(l.marks) != 1 {
		t.Errorf("%d old marks are left", len(l.marks)-1)
	}
	all := make([]Change, maxMarks+1)
	for i := range all {
		all[i] = account(i)
	}
	before := l.last(Identity{Namespace: "other"}, "")
	l.note(all)
	if len(l.marks) != 1 || l.last(Identity{Namespace: "other"}, "") == before {
		t.Errorf("%d marks are left, want one that is for everybody", len(l.marks))
	}
}

// notified collects the changes that a RightsWatch reports.
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

// TestRightsWatch changes permissions in every way, and checks whose permissions are reported as changed.
func TestRightsWatch(t *testing.T) {
	t.Parallel()
	x := &notified{}
	w := newWorld(t)
	w.watchRights(t, w.factory.authorizer, x.hear)
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

// TestRightsWatch_forbidden is an operator of an older installation: it continues, logs once that it lacks the
// permission, and watches as soon as it is granted.
func TestRightsWatch_forbidden(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	name := w.namespace + "-operator"
	older := w.User(t, name)
	httpClient, err := rest.HTTPClientFor(older)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var lines []string
	log := funcr.New(func(_, line string) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, line)
	}, funcr.Options{})
	logged := func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(lines)
	}
	authorizer := NewAuthorizer(nil, w.clock)
	watch, err := NewRightsWatch(older, httpClient, authorizer, log)
	if err != nil {
		t.Fatal(err)
	}
	background(t, watch.Start)
	testenv.Eventually(t, "it says so", func(context.Context) error {
		if len(logged()) == 0 {
			return errors.New("it says nothing")
		}
		return nil
	})
	testenv.Consistently(t, "once", 2*time.Second, func(context.Context) error {
		if got := logged(); len(got) != 1 || !strings.Contains(got[0], "cannot watch Roles") {
			return fmt.Errorf("it says %q", got)
		}
		if authorizer.Watched() {
			return errors.New("it reports that changes are watched")
		}
		return nil
	})
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}, Rules: []rbacv1.PolicyRule{{
		Verbs: []string{"list", "watch"}, APIGroups: []string{rbacv1.GroupName},
		Resources: []string{"roles", "clusterroles", "rolebindings", "clusterrolebindings"},
	}}}
	user := rbacv1.Subject{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: name}
	binding := &rbacv1.ClusterRoleBinding{ObjectMeta: role.ObjectMeta, RoleRef: refTo("ClusterRole", role.Name), Subjects: []rbacv1.Subject{user}}
	if err := errors.Join(w.Client.Create(t.Context(), role), w.Client.Create(t.Context(), binding)); err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(t, "it watches", func(context.Context) error {
		if !authorizer.Watched() {
			return errors.New("it does not")
		}
		return nil
	})
}

func TestSubjectOf(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, kind, subject, namespace string
		want                           Subject
		ok                             bool
	}{
		{"account", "ServiceAccount", "a", "x", Subject{"x", "a"}, true},
		{"account of the binding's namespace", "ServiceAccount", "a", "", Subject{"ns", "a"}, true},
		{"account as a user", "User", "system:serviceaccount:x:a", "", Subject{"x", "a"}, true},
		{"half an account", "User", "system:serviceaccount:x", "", Subject{Namespace: "x"}, false},
		{"human", "User", "jane", "", Subject{}, false},
		{"a namespace's accounts", "Group", "system:serviceaccounts:x", "", Subject{Namespace: "x"}, true},
		{"all accounts", "Group", "system:serviceaccounts", "", Subject{}, true},
		{"everybody", "Group", "system:authenticated", "", Subject{}, true},
		{"those without a name", "Group", "system:unauthenticated", "", Subject{}, false},
		{"another kind", "Robot", "a", "", Subject{}, false},
	} {
		got, ok := subjectOf(rbacv1.Subject{Kind: tc.kind, Name: tc.subject, Namespace: tc.namespace}, "ns")
		if ok != tc.ok || ok && got != tc.want {
			t.Errorf("%s: got %+v, %t", tc.name, got, ok)
		}
	}
}

// fragile is a network whose connections can be cut.
type fragile struct {
	mu     sync.Mutex
	cut    bool
	bodies []io.Closer
}

func (f *fragile) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(req *http.Request) (*http.Response, error) {
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

func (f *fragile) set(cut bool) {
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

// TestRightsWatch_cut interrupts the watches: decisions have shorter lifetimes until the watches are back, and changes
// in the meantime are observed.
func TestRightsWatch_cut(t *testing.T) {
	t.Parallel()
	w, network := newWorld(t), &fragile{}
	config := rest.CopyConfig(w.Config)
	config.Wrap(network.wrap)
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	authorizer, x := w.factory.authorizer, &notified{}
	watch, err := NewRightsWatch(config, httpClient, authorizer, logr.Discard(), x.hear)
	if err != nil {
		t.Fatal(err)
	}
	background(t, watch.Start)
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
	w.grant(t, w.namespace, "get", items.Group, "items")
	network.set(false)
	watched(true)
	testenv.Eventually(t, "what changed meanwhile is heard of", func(context.Context) error {
		if !x.take(w.namespace)[Change{Subject{w.namespace, account}, w.namespace}] {
			return errors.New("it is not")
		}
		return nil
	})
}

func BenchmarkAuthorizer_remembered(b *testing.B) {
	clk := clock.RealClock{}
	a := NewAuthorizer(nil, clk)
	id := Identity{Namespace: "shop", Plugin: "pricing", ServiceAccount: "robot"}
	action := Action{Verb: "get", Group: items.Group, Version: items.Version, Resource: "items", Namespace: "shop"}
	for i := range 1000 {
		a.Drop(Change{Subject{"other", strconv.Itoa(i)}, ""})
	}
	a.cache.Add(ask(id, action), remembered{decision: Decision{Allowed: true}, asked: clk.Now()}, time.Hour)
	a.watched.Store(true)
	b.ReportAllocs()
	for b.Loop() {
		if d, err := a.Authorize(b.Context(), id, action); err != nil || !d.Allowed {
			b.Fatal(d, err)
		}
	}
}
