// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	"github.com/k1s-io/k1s/internal/access/audit"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/kinds"
	"github.com/k1s-io/k1s/internal/testenv"
)

func itemResource() schema.GroupVersionResource { return items.GroupVersion().WithResource("items") }

// finalizer returns the Finalizer of the test's plugin.
func (w *testCluster) finalizer(t *testing.T) *Finalizer {
	t.Helper()
	f, err := w.factory.Finalizer(rbac.Identity{Namespace: w.namespace, Plugin: "tester", ServiceAccount: account})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// read returns the Item "thing", and its finalizers.
func (w *testCluster) read(t *testing.T) *inventoryv1alpha1.Item {
	t.Helper()
	var item inventoryv1alpha1.Item
	w.Get(t, client.ObjectKey{Namespace: w.namespace, Name: "thing"}, &item)
	return &item
}

// set sets the finalizers of the Item "thing".
func (w *testCluster) set(t *testing.T, finalizers ...string) *inventoryv1alpha1.Item {
	t.Helper()
	item := w.read(t)
	item.Finalizers = finalizers
	w.Update(t, item)
	return item
}

// TestFinalizer_put_remove does not change the finalizers of others, nor their order, even if they differ from those
// that were read.
func TestFinalizer_put_remove(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.thing(t, w.namespace)
	w.Grant(t, w.namespace, "patch", items.Group, "items")
	f := w.finalizer(t)
	if want := "tester." + w.namespace + ".plugins.k1s.io/finalize"; f.Name != want {
		t.Errorf("the name is %q, want %q", f.Name, want)
	}
	const a, b, c = "test.k1s.io/a", "test.k1s.io/b", "test.k1s.io/c"
	for _, tc := range []struct {
		name       string
		seen, real []string
		remove     bool
		want       []string
	}{
		{"the first", nil, nil, false, []string{f.Name}},
		{"the last", []string{f.Name}, []string{f.Name}, true, nil},
		{"behind others", []string{a, b}, []string{a, b}, false, []string{a, b, f.Name}},
		{"from between others", []string{a, f.Name, b}, []string{a, f.Name, b}, true, []string{a, b}},
		{"others came", nil, []string{a}, false, []string{a, f.Name}},
		{"others went", []string{a, b}, nil, false, []string{f.Name}},
		{"others went before", []string{a, b, f.Name}, []string{f.Name}, true, nil},
		{"others came before", []string{f.Name}, []string{a, f.Name, c}, true, []string{a, c}},
		{"on already", nil, []string{f.Name, a}, false, []string{f.Name, a}},
		{"off already", []string{a, f.Name}, []string{b}, true, []string{b}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w.set(t, tc.seen...)
			seen := w.read(t)
			w.set(t, tc.real...)
			change := f.Put
			if tc.remove {
				change = f.Remove
			}
			if err := change(t.Context(), itemResource(), seen); err != nil {
				t.Fatal(err)
			}
			if got := w.read(t).Finalizers; !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestFinalizer_concurrent adds and removes the finalizer while others change theirs.
func TestFinalizer_concurrent(t *testing.T) {
	t.Parallel()
	const others, rounds = 3, 15
	w := newTestCluster(t)
	w.thing(t, w.namespace)
	w.Grant(t, w.namespace, "patch", items.Group, "items")
	f := w.finalizer(t)
	var all sync.WaitGroup
	errs := make(chan error, others)
	for i := range others {
		all.Go(func() {
			for j := range rounds {
				name := fmt.Sprintf("test.k1s.io/%d-%d", i, j)
				if err := w.add(t.Context(), name); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	for range rounds {
		for _, change := range []func(context.Context, schema.GroupVersionResource, metav1.Object) error{f.Put, f.Remove} {
			w.eventually(t, "the change", func() error { return change(t.Context(), itemResource(), w.read(t)) })
		}
	}
	all.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	if got := w.read(t).Finalizers; len(got) != others*rounds || f.On(w.read(t)) {
		t.Errorf("there are %d finalizers, want the %d of others: %q", len(got), others*rounds, got)
	}
}

// add adds another finalizer to the Item "thing".
func (w *testCluster) add(ctx context.Context, name string) error {
	return testenv.Poll(ctx, testenv.Timeout, func(ctx context.Context) error {
		var item inventoryv1alpha1.Item
		if err := w.Client.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: "thing"}, &item); err != nil {
			return err
		}
		item.Finalizers = append(item.Finalizers, name)
		return w.Client.Update(ctx, &item)
	})
}

// TestFinalizer_rights adds the finalizer with the permissions of the ServiceAccount, and removes it as the operator if
// the ServiceAccount lacks the permission.
func TestFinalizer_rights(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.thing(t, w.namespace)
	f := w.finalizer(t)
	trail := &auditRecorder{}
	w.factory.Audit = trail
	wantDenial(t, f.Put(t.Context(), itemResource(), w.read(t)), metav1.StatusReasonForbidden, account)
	if got := trail.take(); len(got) != 1 || got[0].Decision != audit.DecisionDenied || got[0].Layer != audit.LayerAPIServer || got[0].Verb != "patch" {
		t.Errorf("recorded %+v", got)
	}
	w.set(t, f.Name)
	if err := f.Remove(t.Context(), itemResource(), w.read(t)); err != nil || f.On(w.read(t)) {
		t.Errorf("removed by an account without rights: %v, %q", err, w.read(t).Finalizers)
	}
	trail.take()
	w.Grant(t, w.namespace, "patch", items.Group, "items")
	if err := f.Put(t.Context(), itemResource(), w.read(t)); err != nil {
		t.Error(err)
	}
	if got := trail.take(); len(got) != 1 || got[0].Decision != audit.DecisionAllowed {
		t.Errorf("recorded %+v", got)
	}
}

// TestFinalizer_deletedOrTerminating does nothing to an object that is gone, to another one of the same name, or to one that is
// being deleted.
func TestFinalizer_deletedOrTerminating(t *testing.T) {
	t.Parallel()
	const other = "test.k1s.io/other"
	w := newTestCluster(t)
	w.Grant(t, w.namespace, "patch", items.Group, "items")
	f := w.finalizer(t)
	w.thing(t, w.namespace)
	seen := w.set(t, other).DeepCopy()
	w.Delete(t, seen)
	if err := f.Put(t.Context(), itemResource(), seen); err != nil || f.On(w.read(t)) {
		t.Errorf("one that is being deleted: %v, %q", err, w.read(t).Finalizers)
	}
	w.set(t)
	for what, change := range map[string]func(context.Context, schema.GroupVersionResource, metav1.Object) error{"put": f.Put, "remove": f.Remove} {
		o := seen.DeepCopy()
		if what == "remove" {
			o.Finalizers = []string{f.Name}
		}
		if err := change(t.Context(), itemResource(), o); err != nil {
			t.Errorf("%s, gone: %v", what, err)
		}
		w.thing(t, w.namespace)
		w.set(t, other)
		if err := change(t.Context(), itemResource(), o); err != nil || !slices.Equal(w.read(t).Finalizers, []string{other}) {
			t.Errorf("%s, another one of that name: %v, %q", what, err, w.read(t).Finalizers)
		}
		w.set(t)
		w.Delete(t, w.read(t))
	}
}

// TestFinalizer_Sweep removes only its own finalizer, in all namespaces.
func TestFinalizer_Sweep(t *testing.T) {
	t.Parallel()
	const other = "test.k1s.io/other"
	w := newTestCluster(t)
	f := w.finalizer(t)
	configMaps := corev1.SchemeGroupVersion.WithResource("configmaps")
	neighbor, err := w.factory.Finalizer(rbac.Identity{Namespace: w.namespace, Plugin: "neighbor", ServiceAccount: account})
	if err != nil {
		t.Fatal(err)
	}
	var made []*corev1.ConfigMap
	for _, namespace := range []string{w.namespace, w.Namespace(t)} {
		for i, finalizers := range [][]string{{f.Name}, {other, f.Name, neighbor.Name}, {neighbor.Name}, nil} {
			cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("cm-%d", i), Finalizers: finalizers}}
			w.Create(t, cm)
			made = append(made, cm)
		}
	}
	if n, err := f.Sweep(t.Context(), configMaps); err != nil || n != 4 {
		t.Errorf("swept %d, %v, want 4", n, err)
	}
	for _, cm := range made {
		want := slices.DeleteFunc(slices.Clone(cm.Finalizers), func(name string) bool { return name == f.Name })
		var got corev1.ConfigMap
		if err := w.Client.Get(t.Context(), client.ObjectKeyFromObject(cm), &got); err != nil || !slices.Equal(got.Finalizers, want) {
			t.Errorf("%s has %q, %v, want %q", cm.Name, got.Finalizers, err, want)
		}
	}
	if n, err := f.Sweep(t.Context(), schema.GroupVersionResource{Group: "gone.example.com", Version: "v1", Resource: "things"}); n != 0 || !kinds.IsPathNotFound(err) {
		t.Errorf("a resource that is not served: %d, %v, want an error that tells so", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Sweep(ctx, configMaps); !errors.Is(err, context.Canceled) {
		t.Errorf("a sweep that is cut off: %v", err)
	}
}

// TestFinalizer_Sweep_pages lists more objects than a page has.
func TestFinalizer_Sweep_pages(t *testing.T) {
	t.Parallel()
	const objects = sweepPage + 20
	w := newTestCluster(t)
	f := w.finalizer(t)
	var work sync.WaitGroup
	errs := make(chan error, objects)
	for i := range 8 {
		work.Go(func() {
			for j := i; j < objects; j += 8 {
				errs <- w.Client.Create(t.Context(), &corev1.Secret{
					ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: fmt.Sprintf("s-%04d", j), Finalizers: []string{f.Name}},
				})
			}
		})
	}
	work.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	if n, err := f.Sweep(t.Context(), corev1.SchemeGroupVersion.WithResource("secrets")); err != nil || n != objects {
		t.Errorf("swept %d, %v, want %d", n, err, objects)
	}
	err := w.Client.DeleteAllOf(t.Context(), &corev1.Secret{}, client.InNamespace(w.namespace))
	if err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	var left corev1.SecretList
	if err := w.Client.List(t.Context(), &left, client.InNamespace(w.namespace)); err != nil || len(left.Items) > 0 {
		t.Errorf("%d are left, %v", len(left.Items), err)
	}
}

// putter adds a finalizer again as soon as it is removed.
type putter struct {
	http.RoundTripper

	put   func()
	times atomic.Int64
}

func (p *putter) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := p.RoundTripper.RoundTrip(r)
	if r.Method == http.MethodPatch {
		p.times.Add(1)
		p.put()
	}
	return response, err
}

// TestFinalizer_Sweep_ends checks that a sweep ends although another client adds the finalizer again and again.
func TestFinalizer_Sweep_ends(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var name string
	p := &putter{}
	p.put = func() {
		if p.times.Load() > 10*sweepRounds {
			cancel()
		}
		patch := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"metadata":{"finalizers":[%q]}}`, name))
		cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "kept"}}
		if err := w.Client.Patch(t.Context(), cm, patch); err != nil {
			t.Error(err)
		}
	}
	config := rest.CopyConfig(w.Config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		p.RoundTripper = next
		return p
	})
	f, err := NewFactory(config, nil, nil, nil, clock.RealClock{}).Finalizer(rbac.Identity{Namespace: w.namespace, Plugin: "sweeper", ServiceAccount: account})
	if err != nil {
		t.Fatal(err)
	}
	name = f.Name
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "kept", Finalizers: []string{name}}}
	w.Create(t, cm)
	if _, err := f.Sweep(ctx, corev1.SchemeGroupVersion.WithResource("configmaps")); err == nil || ctx.Err() != nil {
		t.Errorf("got %v after %d times", err, p.times.Load())
	}
}
