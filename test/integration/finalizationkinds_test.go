// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"slices"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/cmd/manager/app"
	"github.com/k1s-io/k1s/internal/testenv"
)

// TestWasmPlugin_finalization_kindDeleted checks that the objects of a deleted kind are finalized before they are gone,
// and that the kind, which no longer exists, then does not block the deletion of the plugin.
func TestWasmPlugin_finalization_kindDeleted(t *testing.T) {
	o := startOperator(t)
	n := newWidgets(t, o)
	n.delete(t, widgetCRD())
	n.expectTrace(t, "done-widget")
	testenv.Eventually(t, "the CustomResourceDefinition is gone", func(ctx context.Context) error { return n.isDeleted(ctx, widgetCRD()) })
	n.delete(t, &pluginsv1alpha1.WasmPlugin{ObjectMeta: n.Meta("finalizer")})
	n.expectPluginDeleted(t, "finalizer")
}

// TestWasmPlugin_finalization_kindTerminating checks that a kind whose deletion is blocked by a suspended plugin is deleted
// once the plugin is deleted.
func TestWasmPlugin_finalization_kindTerminating(t *testing.T) {
	o := startOperator(t)
	n := newWidgets(t, o)
	n.change(t, "finalizer", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Suspend = true })
	n.ExpectCondition(t, "finalizer", pluginsv1alpha1.ConditionReady, metav1.ConditionFalse, pluginsv1alpha1.ReasonSuspended)
	n.delete(t, widgetCRD())
	testenv.Eventually(t, "the object is to go", func(ctx context.Context) error {
		w := n.widget()
		if err := n.Client.Get(ctx, client.ObjectKeyFromObject(w), w); err != nil || w.GetDeletionTimestamp() == nil {
			return fmt.Errorf("%v: %w", w.Object, err)
		}
		return nil
	})
	n.delete(t, &pluginsv1alpha1.WasmPlugin{ObjectMeta: n.Meta("finalizer")})
	n.expectPluginDeleted(t, "finalizer")
	testenv.Eventually(t, "the CustomResourceDefinition is gone", func(ctx context.Context) error { return n.isDeleted(ctx, widgetCRD()) })
	n.expectNoTrace(t, "begun-widget")
}

// TestWasmPlugin_finalization_operatorForbidden checks that the operator reports which permission it lacks itself
// before the plugin blocks the deletion of any object.
func TestWasmPlugin_finalization_operatorForbidden(t *testing.T) {
	o := startOperator(t)
	n := newFinalized(t, o.env)
	n.Create(t, widgetCRD())
	t.Cleanup(func() { n.cleanUpWidgets(t) })
	n.grantOperatorWidgets(t, "list", "watch")
	n.finalizer(t, "finalizer", forWidgets)
	n.ExpectCondition(t, "finalizer", pluginsv1alpha1.ConditionAuthorized, metav1.ConditionFalse, pluginsv1alpha1.ReasonOperatorForbidden,
		"the operator itself cannot patch widgets.test.k1s.io", "list and watch and patch on widgets.test.k1s.io")
}

// TestWasmPlugin_finalization_directory checks that a plugin whose file is removed leaves no finalizers on objects, and
// that a plugin whose file is restored immediately is created again.
func TestWasmPlugin_finalization_directory(t *testing.T) {
	o := startOperator(t)
	n := finalized{newTenantIn(t, o.env, o.ns, finalizerRules()...)}
	n.category(t, "tools")
	definition := []byte(`plugins:
  - name: finalizer
    path: finalizer.wasm
    config:
      for_types: ["inventory.example.com/v1alpha1.Category"]
      service_account_name: plugin
`)
	o.write(t, "finalizer.wasm", localFixture(t, "finalizer.wasm"))
	o.write(t, "wasm-plugins.yaml", definition)
	n.expectBlocked(t, "tools", "finalizer")
	// The finalizer of another controller keeps the WasmPlugin, so that its file is restored before the WasmPlugin is
	// gone.
	n.keepPlugin(t, true)
	o.write(t, "wasm-plugins.yaml", []byte("plugins: []\n"))
	o.remove(t, "finalizer.wasm")
	n.expectFree(t, "tools", "finalizer")
	before := n.wasmPlugin(t, "finalizer").UID
	o.write(t, "finalizer.wasm", localFixture(t, "finalizer.wasm"))
	o.write(t, "wasm-plugins.yaml", definition)
	n.keepPlugin(t, false)
	testenv.Eventually(t, "the plugin is back", func(ctx context.Context) error {
		wp, err := n.GetPlugin(ctx, "finalizer")
		if err == nil && wp.UID == before {
			err = fmt.Errorf("it is the old one, with %q", wp.Finalizers)
		}
		return err
	})
	n.expectBlocked(t, "tools", "finalizer")
	o.write(t, "wasm-plugins.yaml", []byte("plugins: []\n"))
	o.remove(t, "finalizer.wasm")
	n.expectPluginDeleted(t, "finalizer")
	n.expectFree(t, "tools", "finalizer")
}

// TestWasmPlugin_finalization_withoutRBAC checks that the finalizer of a plugin which acts as the operator is added
// with the operator's own permissions.
func TestWasmPlugin_finalization_withoutRBAC(t *testing.T) {
	o := startOperator(t, func(o *app.Options) { o.DirectoryPluginsWithoutRBAC = true })
	n := finalized{newTenantIn(t, o.env, o.ns)}
	n.category(t, "tools")
	o.write(t, "finalizer.wasm", localFixture(t, "finalizer.wasm"))
	o.write(t, "wasm-plugins.yaml", []byte(`plugins:
  - {name: finalizer, path: finalizer.wasm, config: {for_types: ["inventory.example.com/v1alpha1.Category"]}}
`))
	n.expectBlocked(t, "tools", "finalizer")
	o.write(t, "wasm-plugins.yaml", []byte("plugins: []\n"))
	o.remove(t, "finalizer.wasm")
	n.expectPluginDeleted(t, "finalizer")
	n.expectFree(t, "tools", "finalizer")
}

// keepPlugin adds the finalizer of another controller to the WasmPlugin, or removes it.
func (n finalized) keepPlugin(t *testing.T, keep bool) {
	t.Helper()
	const finalizer = "test.k1s.io/keep"
	testenv.Eventually(t, "the finalizers of the WasmPlugin", func(ctx context.Context) error {
		wp, err := n.GetPlugin(ctx, "finalizer")
		if err != nil {
			return err
		}
		wp.Finalizers = slices.DeleteFunc(wp.Finalizers, func(f string) bool { return f == finalizer })
		if keep {
			wp.Finalizers = append(wp.Finalizers, finalizer)
		}
		return n.Client.Update(ctx, wp)
	})
}

// newWidgets creates a tenant whose plugin finalizes an object of the kind Widget.
func newWidgets(t *testing.T, o *operator) finalized {
	t.Helper()
	n := newFinalized(t, o.env)
	n.Create(t, widgetCRD())
	t.Cleanup(func() { n.cleanUpWidgets(t) })
	n.grantOperatorWidgets(t, "list", "watch", "patch")
	n.GrantRole(t, "widgets", testenv.AccountSubject(n.NS, "plugin"), widgets("list", "watch", "patch"))
	n.finalizer(t, "finalizer", forWidgets)
	n.ExpectReady(t, "finalizer")
	testenv.Eventually(t, "a Widget", func(ctx context.Context) error { return n.Client.Create(ctx, n.widget()) })
	testenv.Eventually(t, "the Widget carries the finalizer", func(ctx context.Context) error {
		w := n.widget()
		if err := n.Client.Get(ctx, client.ObjectKeyFromObject(w), w); err != nil || len(w.GetFinalizers()) == 0 {
			return fmt.Errorf("%v: %w", w.Object, err)
		}
		return nil
	})
	return n
}

func forWidgets(s *pluginsv1alpha1.WasmPluginSpec) {
	s.ForTypes = []pluginsv1alpha1.ForType{{TypeReference: pluginsv1alpha1.TypeReference{APIVersion: "test.k1s.io/v1", Kind: "Widget"}}}
}

func widgets(verbs ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{"test.k1s.io"}, Resources: []string{"widgets"}, Verbs: verbs}
}

// grantOperatorWidgets grants the operator permissions on Widgets, as a labeled ClusterRole does in a cluster.
func (n finalized) grantOperatorWidgets(t *testing.T, verbs ...string) {
	t.Helper()
	n.Create(t, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: n.NS}, Rules: []rbacv1.PolicyRule{widgets(verbs...)}})
	n.Create(t, testenv.Binding("", n.NS, n.NS, testenv.UserSubject(operatorUser)))
	t.Cleanup(func() {
		for _, o := range []client.Object{&rbacv1.ClusterRole{}, &rbacv1.ClusterRoleBinding{}} {
			o.SetName(n.NS)
			if err := n.Client.Delete(context.Background(), o); err != nil {
				t.Error(err)
			}
		}
	})
}

func (n finalized) widget() *unstructured.Unstructured {
	w := &unstructured.Unstructured{}
	w.SetAPIVersion("test.k1s.io/v1")
	w.SetKind("Widget")
	w.SetNamespace(n.NS)
	w.SetName("widget")
	return w
}

// cleanUpWidgets deletes the CustomResourceDefinition, so that the next test does not find it.
func (n finalized) cleanUpWidgets(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	if err := n.Client.Delete(ctx, widgetCRD()); client.IgnoreNotFound(err) != nil {
		t.Error(err)
	}
	free := client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`))
	_ = n.Client.Patch(ctx, n.widget(), free) // the object or its kind may not exist
	if err := testenv.Poll(ctx, testenv.Timeout, func(ctx context.Context) error { return n.isDeleted(ctx, widgetCRD()) }); err != nil {
		t.Error(err)
	}
}

func widgetCRD() *apiextensionsv1.CustomResourceDefinition {
	return testenv.Definition("test.k1s.io", "widgets", "Widget", "v1")
}
