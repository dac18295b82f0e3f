// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/cmd/manager/app"
	"github.com/k1s-io/k1s/internal/testenv"
)

// TestWasmPlugin_finalization checks the life of an object with a plugin that finalizes: the object has the finalizer
// before the plugin receives it, its deletion is blocked until finalize succeeds, whatever errors come before, and then
// it is gone.
func TestWasmPlugin_finalization(t *testing.T) {
	o := startOperator(t)
	n := newFinalized(t, o.env)
	n.category(t, "before")
	n.finalizer(t, "finalizer")
	n.ExpectReady(t, "finalizer")
	n.category(t, "after")
	for _, name := range []string{"before", "after"} {
		n.expectBlocked(t, name, "finalizer")
		n.expectTrace(t, "seen-"+name)
	}
	n.expectNoTrace(t, "unheld-before")
	n.expectNoTrace(t, "unheld-after")
	if got := n.wasmPlugin(t, "finalizer"); !slices.Contains(got.Finalizers, pluginsv1alpha1.FinalizerCleanup) ||
		len(got.Status.FinalizedTypes) != 1 || got.Status.FinalizedTypes[0].Kind != "Category" {
		t.Errorf("the WasmPlugin has the finalizers %q and finalizedTypes %v", got.Finalizers, got.Status.FinalizedTypes)
	}

	n.remove(t, "before")
	n.expectDeleted(t, "before")
	n.expectTrace(t, "begun-before")
	n.expectTrace(t, "done-before")
	n.expectNoTrace(t, "late-before")

	t.Log("an error, even Invalid, is not the last word")
	n.label(t, "after", "hold", "true")
	n.remove(t, "after")
	n.expectEvent(t, "finalizer", "FinalizeFailed", "after", "the object has the label hold")
	n.expectBlocked(t, "after", "finalizer")
	n.expectNoTrace(t, "begun-after")
	n.label(t, "after", "hold", "")
	n.expectDeleted(t, "after")
	n.expectTrace(t, "done-after")
}

// TestWasmPlugin_finalization_others checks that the finalizers of other controllers are preserved, however often they
// change while the plugin's finalizer is added and removed.
func TestWasmPlugin_finalization_others(t *testing.T) {
	const objects, rounds = 8, 20
	o := startOperator(t)
	n := newFinalized(t, o.env)
	n.finalizer(t, "finalizer")
	n.ExpectReady(t, "finalizer")
	name := func(i int) string { return fmt.Sprintf("c-%d", i) }
	other := func(i, j int) string { return fmt.Sprintf("test.k1s.io/%d-%d", i, j) }
	var all sync.WaitGroup
	failed := make(chan error, objects)
	for i := range objects {
		n.category(t, name(i))
		all.Go(func() {
			for j := range rounds {
				if err := n.patchFinalizers(t.Context(), name(i), other(i, j), true); err != nil {
					failed <- err
					return
				}
				if j%2 == 0 { // every second one is kept
					if err := n.patchFinalizers(t.Context(), name(i), other(i, j), false); err != nil {
						failed <- err
						return
					}
				}
			}
		})
	}
	all.Wait()
	close(failed)
	for err := range failed {
		t.Fatal(err)
	}
	expectOthers := func(i int) []string {
		var want []string
		for j := 1; j < rounds; j += 2 {
			want = append(want, other(i, j))
		}
		return want
	}
	for i := range objects {
		n.expectBlocked(t, name(i), "finalizer")
		n.remove(t, name(i))
	}
	for i := range objects {
		n.expectFree(t, name(i), "finalizer")
		n.expectTrace(t, "done-"+name(i))
		var c inventoryv1alpha1.Category
		n.Get(t, client.ObjectKey{Namespace: n.NS, Name: name(i)}, &c)
		if want := expectOthers(i); !slices.Equal(c.Finalizers, want) {
			t.Errorf("%s has the finalizers %q, want %q", name(i), c.Finalizers, want)
		}
		for _, f := range expectOthers(i) {
			if err := n.patchFinalizers(t.Context(), name(i), f, false); client.IgnoreNotFound(err) != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestWasmPlugin_finalization_deleted checks that the finalizers are removed from all objects when the plugin is
// deleted, whatever state it is in, and that finalize is not called for that.
func TestWasmPlugin_finalization_deleted(t *testing.T) {
	for name, before := range map[string]func(*testing.T, *operator, finalized){
		"as-it-serves": func(*testing.T, *operator, finalized) {},
		"suspended": func(t *testing.T, _ *operator, n finalized) {
			n.change(t, "finalizer", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Suspend = true })
			n.ExpectCondition(t, "finalizer", pluginsv1alpha1.ConditionReady, metav1.ConditionFalse, pluginsv1alpha1.ReasonSuspended)
		},
		"without-its-account-and-rights": func(t *testing.T, _ *operator, n finalized) {
			n.delete(t, &corev1.ServiceAccount{ObjectMeta: n.Meta("plugin")})
			n.delete(t, &rbacv1.RoleBinding{ObjectMeta: n.Meta("plugin")})
			n.ExpectCondition(t, "finalizer", pluginsv1alpha1.ConditionAuthorized, metav1.ConditionFalse, pluginsv1alpha1.ReasonServiceAccountNotFound)
		},
		"with-a-broken-module": func(t *testing.T, o *operator, n finalized) {
			o.end(t) // so that no revision serves
			n.StoreRaw(t, "finalizer", []byte("rubbish"))
			o.start(t)
			n.ExpectCondition(t, "finalizer", pluginsv1alpha1.ConditionReady, metav1.ConditionFalse, pluginsv1alpha1.ReasonNotWasm)
		},
		"while-the-operator-is-away": func(t *testing.T, o *operator, n finalized) {
			o.end(t)
			t.Cleanup(func() {})
		},
		"with-its-namespace": func(t *testing.T, _ *operator, n finalized) {
			n.delete(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n.NS}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := startOperator(t)
			n := newFinalized(t, o.env)
			n.category(t, "stays")
			n.category(t, "goes")
			n.finalizer(t, "finalizer")
			n.expectBlocked(t, "stays", "finalizer")
			n.expectBlocked(t, "goes", "finalizer")
			n.label(t, "goes", "hold", "true") // finalize does not succeed
			n.remove(t, "goes")
			n.expectEvent(t, "finalizer", "FinalizeFailed", "goes")
			before(t, o, n)
			n.delete(t, &pluginsv1alpha1.WasmPlugin{ObjectMeta: n.Meta("finalizer")})
			if o.stop == nil {
				o.start(t)
			}
			n.expectPluginDeleted(t, "finalizer")
			n.expectDeleted(t, "goes")
			n.expectFree(t, "stays", "finalizer")
			n.expectNoTrace(t, "begun-stays")
			n.expectNoTrace(t, "begun-goes")
		})
	}
}

// TestWasmPlugin_finalization_serviceAccountDeleted checks that a plugin whose ServiceAccount is gone blocks the deletion of
// objects only for a grace period, in case the ServiceAccount comes back. When it is back, the plugin finalizes its
// objects again.
func TestWasmPlugin_finalization_serviceAccountDeleted(t *testing.T) {
	grace := time.Hour
	o := startOperator(t, func(o *app.Options) { o.Timing.PermissionsGrace = grace })
	n := newFinalized(t, o.env)
	n.category(t, "stays")
	n.category(t, "goes")
	n.finalizer(t, "finalizer")
	n.expectBlocked(t, "stays", "finalizer")
	n.expectBlocked(t, "goes", "finalizer")
	n.delete(t, &corev1.ServiceAccount{ObjectMeta: n.Meta("plugin")})
	n.ExpectCondition(t, "finalizer", pluginsv1alpha1.ConditionAuthorized, metav1.ConditionFalse, pluginsv1alpha1.ReasonServiceAccountNotFound)
	n.remove(t, "goes")
	testenv.Consistently(t, "the object waits", time.Second, func(ctx context.Context) error { return n.blocked(ctx, "goes", "finalizer") })
	o.end(t)
	grace = time.Second // which has passed according to the status
	o.start(t)
	n.expectDeleted(t, "goes")
	n.expectFree(t, "stays", "finalizer")
	n.expectNoTrace(t, "begun-goes")
	n.expectEvent(t, "finalizer", "ObjectsReleased", "lacked permissions for 1s")

	o.env.ServiceAccount(t, n.NS, "plugin")
	n.ExpectReady(t, "finalizer")
	n.expectBlocked(t, "stays", "finalizer")
	n.remove(t, "stays")
	n.expectDeleted(t, "stays")
	n.expectTrace(t, "done-stays")
}

// TestWasmPlugin_finalization_serviceAccountDeleted_settings checks the same as TestWasmPlugin_finalization_serviceAccountDeleted for a
// plugin whose settings can no longer be read either, an error that is found first.
func TestWasmPlugin_finalization_serviceAccountDeleted_settings(t *testing.T) {
	for name, lose := range map[string]func(*testing.T, finalized){
		"account": func(t *testing.T, n finalized) {
			n.delete(t, &corev1.ServiceAccount{ObjectMeta: n.Meta("plugin")})
			n.delete(t, &rbacv1.RoleBinding{ObjectMeta: n.Meta("plugin")})
		},
		"rights": func(t *testing.T, n finalized) { n.delete(t, &rbacv1.RoleBinding{ObjectMeta: n.Meta("plugin")}) },
	} {
		t.Run(name, func(t *testing.T) {
			o := startOperator(t, func(o *app.Options) { o.Timing.PermissionsGrace = 3 * time.Second })
			rules := append(finalizerRules(), rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get"}})
			n := finalized{newTenant(t, o.env, rules...)}
			n.Store(t, "finalizer", localFixture(t, "finalizer.wasm"))
			n.secret(t, "mail", "swordfish")
			n.category(t, "goes")
			n.finalizer(t, "finalizer", func(s *pluginsv1alpha1.WasmPluginSpec) {
				s.SettingsFrom = []pluginsv1alpha1.SettingSource{fromSecret("token", "mail", "password")}
			})
			n.expectBlocked(t, "goes", "finalizer")
			lose(t, n)
			n.ExpectCondition(t, "finalizer", pluginsv1alpha1.ConditionServing, metav1.ConditionFalse, pluginsv1alpha1.ReasonNoRevision)
			n.remove(t, "goes")
			n.expectDeleted(t, "goes")
			n.expectNoTrace(t, "begun-goes")
		})
	}
}

// TestWasmPlugin_finalization_forbidden checks that a plugin which lacks the permission to patch its objects reports
// this before it adds a finalizer to any of them.
func TestWasmPlugin_finalization_forbidden(t *testing.T) {
	o := startOperator(t)
	n := finalized{newTenant(t, o.env, rule("categories", "list", "watch"))}
	n.category(t, "tools")
	n.Store(t, "finalizer", localFixture(t, "finalizer.wasm"))
	n.finalizer(t, "finalizer")
	n.ExpectCondition(t, "finalizer", pluginsv1alpha1.ConditionAuthorized, metav1.ConditionFalse, pluginsv1alpha1.ReasonAccountForbidden,
		`cannot patch categories.inventory.example.com`, "--verb=patch --resource=categories.inventory.example.com")
	if err := n.blocked(t.Context(), "tools", "finalizer"); err == nil {
		t.Error("the object carries the finalizer")
	}
}

// TestWasmPlugin_finalization_scope checks that the finalizer is removed from objects that leave the scope of the
// plugin: a single object because of its labels, many objects because of a change in the spec.
func TestWasmPlugin_finalization_scope(t *testing.T) {
	o := startOperator(t)
	n := newFinalized(t, o.env)
	far := newTenantIn(t, o.env, o.env.Namespace(t))
	far.GrantRole(t, "guest", testenv.AccountSubject(n.NS, "plugin"), finalizerRules()...)
	n.category(t, "near")
	n.category(t, "labeled")
	n.label(t, "labeled", "kept", "yes")
	far.category(t, "far")
	farther := finalized{far}
	n.item(t, "thing")
	n.finalizer(t, "finalizer", func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.ForTypes = []pluginsv1alpha1.ForType{forType("Category"), forType("Item")}
		s.Security.AllowedNamespaces = []string{n.NS, far.NS}
	})
	blocked := pluginsv1alpha1.FinalizerOf(n.NS, "finalizer")
	n.expectBlocked(t, "near", "finalizer")
	n.expectBlocked(t, "labeled", "finalizer")
	testenv.Eventually(t, "the others are held", func(ctx context.Context) error {
		for _, o := range []client.Object{n.itemNamed("thing"), farther.categoryNamed("far")} {
			if err := n.Client.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil || !slices.Contains(o.GetFinalizers(), blocked) {
				return fmt.Errorf("%s: %q, %w", o.GetName(), o.GetFinalizers(), err)
			}
		}
		return nil
	})
	free := func(what string, o client.Object) {
		t.Helper()
		testenv.Eventually(t, what, func(ctx context.Context) error {
			err := n.Client.Get(ctx, client.ObjectKeyFromObject(o), o)
			if err == nil && slices.Contains(o.GetFinalizers(), blocked) {
				err = fmt.Errorf("it has %q", o.GetFinalizers())
			}
			return err
		})
	}

	t.Log("a namespace")
	n.change(t, "finalizer", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Security.AllowedNamespaces = []string{n.NS} })
	free("the object in the other namespace", farther.categoryNamed("far"))
	t.Log("a selector")
	n.change(t, "finalizer", func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.ForTypes[0].LabelSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"kept": "yes"}}
	})
	n.expectFree(t, "near", "finalizer")
	t.Log("a label")
	n.expectBlocked(t, "labeled", "finalizer")
	n.label(t, "labeled", "kept", "no")
	n.expectFree(t, "labeled", "finalizer")
	t.Log("a kind")
	n.Get(t, client.ObjectKeyFromObject(n.itemNamed("thing")), n.itemNamed("thing"))
	n.change(t, "finalizer", func(s *pluginsv1alpha1.WasmPluginSpec) { s.ForTypes = s.ForTypes[:1] })
	free("the object of the other kind", n.itemNamed("thing"))
	n.ExpectCondition(t, "finalizer", pluginsv1alpha1.ConditionCleanedUp, metav1.ConditionTrue, pluginsv1alpha1.ReasonSucceeded)
	t.Log("the capability")
	n.label(t, "labeled", "kept", "yes")
	n.expectBlocked(t, "labeled", "finalizer")
	n.change(t, "finalizer", func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.Capabilities = []pluginsv1alpha1.Capability{pluginsv1alpha1.CapabilityReconcile}
	})
	n.expectFree(t, "labeled", "finalizer")
	testenv.Eventually(t, "nothing keeps the WasmPlugin", func(ctx context.Context) error {
		wp, err := n.GetPlugin(ctx, "finalizer")
		if err == nil && len(wp.Finalizers)+len(wp.Status.FinalizedTypes) > 0 {
			err = fmt.Errorf("it has %q and %v", wp.Finalizers, wp.Status.FinalizedTypes)
		}
		return err
	})
	t.Log("a module without it")
	n.change(t, "finalizer", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Capabilities = nil })
	n.expectBlocked(t, "labeled", "finalizer")
	n.Store(t, "finalizer", conformanceFixture(t, "annotator.wasm"))
	n.expectFree(t, "labeled", "finalizer")
}

// finalized is a tenant with the module finalizer.wasm.
type finalized struct{ tenant }

func finalizerRules() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		rule("categories", "list", "watch", "patch"), rule("items", "list", "watch", "patch"),
		{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"create"}},
	}
}

func newFinalized(t *testing.T, env *testenv.Env) finalized {
	t.Helper()
	n := finalized{newTenant(t, env, finalizerRules()...)}
	n.Store(t, "finalizer", localFixture(t, "finalizer.wasm"))
	return n
}

func forType(kind string) pluginsv1alpha1.ForType {
	return pluginsv1alpha1.ForType{TypeReference: pluginsv1alpha1.TypeReference{APIVersion: inventoryv1alpha1.GroupVersion.String(), Kind: kind}}
}

// finalizer creates the WasmPlugin for Categories. It is deleted at the end of the test.
func (n finalized) finalizer(t *testing.T, name string, mutate ...func(*pluginsv1alpha1.WasmPluginSpec)) {
	t.Helper()
	forCategories := func(s *pluginsv1alpha1.WasmPluginSpec) { s.ForTypes = []pluginsv1alpha1.ForType{forType("Category")} }
	n.Plugin(t, name, append([]func(*pluginsv1alpha1.WasmPluginSpec){forCategories}, mutate...)...)
}

func (n tenant) delete(t *testing.T, o client.Object) {
	t.Helper()
	if err := n.Client.Delete(t.Context(), o); client.IgnoreNotFound(err) != nil {
		t.Fatalf("delete %T %s: %v", o, o.GetName(), err)
	}
}

func (n finalized) remove(t *testing.T, category string) {
	t.Helper()
	n.delete(t, n.categoryNamed(category))
}

func (n finalized) categoryNamed(name string) *inventoryv1alpha1.Category {
	return &inventoryv1alpha1.Category{ObjectMeta: n.Meta(name)}
}

func (n finalized) itemNamed(name string) *inventoryv1alpha1.Item {
	return &inventoryv1alpha1.Item{ObjectMeta: n.Meta(name)}
}

func (n finalized) item(t *testing.T, name string) {
	t.Helper()
	n.Create(t, &inventoryv1alpha1.Item{ObjectMeta: n.Meta(name), Spec: inventoryv1alpha1.ItemSpec{Name: name}})
}

func (n finalized) wasmPlugin(t *testing.T, name string) *pluginsv1alpha1.WasmPlugin {
	t.Helper()
	wp, err := n.GetPlugin(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return wp
}

// label sets a label of a Category, or removes it if the value is empty.
func (n finalized) label(t *testing.T, category, key, value string) {
	t.Helper()
	quoted := "null"
	if value != "" {
		quoted = fmt.Sprintf("%q", value)
	}
	patch := client.RawPatch("application/merge-patch+json", fmt.Appendf(nil, `{"metadata":{"labels":{%q:%s}}}`, key, quoted))
	if err := n.Client.Patch(t.Context(), n.categoryNamed(category), patch); err != nil {
		t.Fatal(err)
	}
}

// patchFinalizers adds or removes a finalizer as other controllers do.
func (n finalized) patchFinalizers(ctx context.Context, category, finalizer string, add bool) error {
	return testenv.Poll(ctx, testenv.Timeout, func(ctx context.Context) error {
		c := n.categoryNamed(category)
		if err := n.Client.Get(ctx, client.ObjectKeyFromObject(c), c); err != nil {
			return err
		}
		before := c.DeepCopy()
		if add {
			controllerutil.AddFinalizer(c, finalizer)
		} else {
			controllerutil.RemoveFinalizer(c, finalizer)
		}
		return n.Client.Patch(ctx, c, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	})
}

// blocked returns an error if a Category does not have a plugin's finalizer.
func (n finalized) blocked(ctx context.Context, category, plugin string) error {
	c := n.categoryNamed(category)
	if err := n.Client.Get(ctx, client.ObjectKeyFromObject(c), c); err != nil {
		return err
	}
	if !slices.Contains(c.Finalizers, pluginsv1alpha1.FinalizerOf(n.NS, plugin)) {
		return fmt.Errorf("the finalizers of %s are %q", category, c.Finalizers)
	}
	return nil
}

func (n finalized) expectBlocked(t *testing.T, category, plugin string) {
	t.Helper()
	testenv.Eventually(t, category+" carries the finalizer", func(ctx context.Context) error { return n.blocked(ctx, category, plugin) })
}

// expectFree waits until an existing Category does not have a plugin's finalizer.
func (n finalized) expectFree(t *testing.T, category, plugin string) {
	t.Helper()
	testenv.Eventually(t, category+" is free", func(ctx context.Context) error {
		c := n.categoryNamed(category)
		if err := n.Client.Get(ctx, client.ObjectKeyFromObject(c), c); err != nil {
			return err
		}
		if slices.Contains(c.Finalizers, pluginsv1alpha1.FinalizerOf(n.NS, plugin)) {
			return fmt.Errorf("its finalizers are %q", c.Finalizers)
		}
		return nil
	})
}

func (n finalized) expectDeleted(t *testing.T, category string) {
	t.Helper()
	testenv.Eventually(t, category+" is gone", func(ctx context.Context) error { return n.isDeleted(ctx, n.categoryNamed(category)) })
}

func (n finalized) expectPluginDeleted(t *testing.T, name string) {
	t.Helper()
	testenv.Eventually(t, "the WasmPlugin is gone", func(ctx context.Context) error {
		return n.isDeleted(ctx, &pluginsv1alpha1.WasmPlugin{ObjectMeta: n.Meta(name)})
	})
}

func (n finalized) isDeleted(ctx context.Context, o client.Object) error {
	err := n.Client.Get(ctx, client.ObjectKeyFromObject(o), o)
	if apierrors.IsNotFound(err) {
		return nil
	}
	return fmt.Errorf("it is there, being deleted since %v, with finalizers %q: %w", o.GetDeletionTimestamp(), o.GetFinalizers(), err)
}

// expectTrace waits for a ConfigMap that the plugin creates as a trace of a call.
func (n finalized) expectTrace(t *testing.T, name string) {
	t.Helper()
	testenv.Eventually(t, "the trace "+name, func(ctx context.Context) error {
		return n.Client.Get(ctx, client.ObjectKey{Namespace: n.NS, Name: name}, &corev1.ConfigMap{})
	})
}

func (n finalized) expectNoTrace(t *testing.T, name string) {
	t.Helper()
	if err := n.Client.Get(t.Context(), client.ObjectKey{Namespace: n.NS, Name: name}, &corev1.ConfigMap{}); !apierrors.IsNotFound(err) {
		t.Errorf("the trace %s: got %v, want none", name, err)
	}
}
