// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/kinds"
	"github.com/k1s-io/k1s/internal/testenv"
)

const (
	widgetGroup = "test.k1s.io"
	widgetName  = "widgets." + widgetGroup
)

// newVersions creates a tenant whose plugin finalizes Widgets, which are served in two versions. Its ServiceAccount and
// the operator have permissions on other resource names of the kind, too.
func newVersions(t *testing.T, o *operator) finalized {
	t.Helper()
	n := newFinalized(t, o.env)
	rule := rbacv1.PolicyRule{APIGroups: []string{widgetGroup}, Resources: []string{"widgets", "gadgets"}, Verbs: []string{"get", "list", "watch", "patch"}}
	n.grantOperatorWidgets(t, "list", "watch", "patch")
	n.GrantCluster(t, testenv.AccountSubject(n.NS, "plugin"), rule)
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: n.NS}, Rules: []rbacv1.PolicyRule{rule}}
	n.Update(t, role)
	n.install(t, testenv.Definition(widgetGroup, "widgets", "Widget", "v1", "v2"))
	n.finalizer(t, "finalizer", forWidgets)
	n.ExpectReady(t, "finalizer")
	return n
}

// widgetsAs returns a dynamic client for the Widgets of the namespace under the given resource name, without a
// RESTMapper.
func (n finalized) widgetsAs(t *testing.T, version, resource string) dynamic.ResourceInterface {
	t.Helper()
	c, err := dynamic.NewForConfig(n.Config)
	if err != nil {
		t.Fatal(err)
	}
	return c.Resource(schema.GroupVersionResource{Group: widgetGroup, Version: version, Resource: resource}).Namespace(n.NS)
}

// makeWidget creates a Widget, which does not block the deletion of its kind after the test.
func (n finalized) makeWidget(t *testing.T, version, resource, name string) {
	t.Helper()
	widgets := n.widgetsAs(t, version, resource)
	w := &unstructured.Unstructured{Object: map[string]any{}}
	w.SetAPIVersion(widgetGroup + "/" + version)
	w.SetKind("Widget")
	w.SetName(name)
	testenv.Eventually(t, "create "+name, func(ctx context.Context) error {
		_, err := widgets.Create(ctx, w, metav1.CreateOptions{})
		return err
	})
	t.Cleanup(func() { n.removeWidgetFinalizer(t, resource, name) })
}

// removeWidgetFinalizer removes the finalizers of a Widget, whatever the test has done to it and its kind, so that the kind can
// be deleted.
func (n finalized) removeWidgetFinalizer(t *testing.T, resource, name string) {
	t.Helper()
	widgets := n.widgetsAs(t, "v1", resource)
	err := testenv.Poll(context.Background(), testenv.Timeout, func(ctx context.Context) error {
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := n.Client.Get(ctx, client.ObjectKey{Name: resource + "." + widgetGroup}, crd); err != nil {
			return client.IgnoreNotFound(err)
		}
		for i := range crd.Spec.Versions {
			crd.Spec.Versions[i].Served = true
		}
		if err := n.Client.Update(ctx, crd); err != nil {
			return err
		}
		_, err := widgets.Patch(ctx, name, types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
		if err != nil && !kinds.IsPathNotFound(err) {
			return client.IgnoreNotFound(err)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// expectFinalizers waits until a Widget has the plugin's finalizer, or does not have it.
func (n finalized) expectFinalizers(t *testing.T, version, name string, want bool) {
	t.Helper()
	testenv.Eventually(t, fmt.Sprintf("Widget %s carries the finalizer: %t", name, want), func(ctx context.Context) error {
		w, err := n.widgetsAs(t, version, "widgets").Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if got := slices.Contains(w.GetFinalizers(), pluginsv1alpha1.FinalizerOf(n.NS, "finalizer")); got != want {
			return fmt.Errorf("it has %q", w.GetFinalizers())
		}
		return nil
	})
}

// TestKinds_versionNotServed_events checks that a plugin whose version is not served receives no events, and that its
// conditions report why. It receives the missed events once its version is served again.
func TestKinds_versionNotServed_events(t *testing.T) {
	restarts(t, func(t *testing.T, while func(*operator, func())) {
		o := startOperator(t)
		n := newVersions(t, o)
		n.makeWidget(t, "v1", "widgets", "before")
		n.expectTrace(t, "seen-before")

		while(o, func() { n.serve(t, widgetName, "v2") })
		n.ExpectCondition(t, "finalizer", pluginsv1alpha1.ConditionReady, metav1.ConditionFalse, "KindVersionNotServed", `kind "Widget" is served in v2, not in v1`)
		n.ExpectCondition(t, "finalizer", pluginsv1alpha1.ConditionServing, metav1.ConditionFalse, pluginsv1alpha1.ReasonNoRevision)
		expectWatches(t, o.env, "widgets", 0)
		n.makeWidget(t, "v2", "widgets", "between")
		n.expectFinalizers(t, "v2", "before", true) // the plugin still has to finalize it

		while(o, func() { n.serve(t, widgetName, "v1", "v2") })
		n.ExpectReady(t, "finalizer")
		n.expectTrace(t, "seen-between")
		n.makeWidget(t, "v1", "widgets", "after")
		n.expectTrace(t, "seen-after")
	})
}

// TestKinds_recreated_events checks that a kind which is recreated under another resource name is watched under that
// name.
func TestKinds_recreated_events(t *testing.T) {
	restarts(t, func(t *testing.T, while func(*operator, func())) {
		o := startOperator(t)
		n := newVersions(t, o)
		n.makeWidget(t, "v1", "widgets", "before")
		n.expectTrace(t, "seen-before")
		while(o, func() {
			n.free(t, "before")
			n.uninstall(t, widgetName)
			n.install(t, testenv.Definition(widgetGroup, "gadgets", "Widget", "v1", "v2"))
		})
		n.makeWidget(t, "v1", "gadgets", "after")
		n.expectTrace(t, "seen-after")
		n.ExpectReady(t, "finalizer")
		expectWatches(t, o.env, "widgets", 0)
		expectWatches(t, o.env, "gadgets", 1)
	})
}

// free deletes a Widget and removes its finalizers.
func (n finalized) free(t *testing.T, name string) {
	t.Helper()
	widgets := n.widgetsAs(t, "v1", "widgets")
	testenv.Eventually(t, "Widget "+name+" is gone", func(ctx context.Context) error {
		if _, err := widgets.Patch(ctx, name, types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{}); apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("it is still there: %w", widgets.Delete(ctx, name, metav1.DeleteOptions{}))
	})
}

// TestKinds_versionNotServed_finalizers checks that the finalizer of a deleted plugin is removed through any version
// that is served.
func TestKinds_versionNotServed_finalizers(t *testing.T) {
	restarts(t, func(t *testing.T, while func(*operator, func())) {
		o := startOperator(t)
		n := newVersions(t, o)
		n.makeWidget(t, "v1", "widgets", "kept")
		n.expectFinalizers(t, "v1", "kept", true)
		while(o, func() { n.serve(t, widgetName, "v2") })
		n.ExpectCondition(t, "finalizer", pluginsv1alpha1.ConditionReady, metav1.ConditionFalse, "KindVersionNotServed")
		while(o, func() { n.delete(t, &pluginsv1alpha1.WasmPlugin{ObjectMeta: n.Meta("finalizer")}) })
		n.expectPluginDeleted(t, "finalizer")
		n.expectFinalizers(t, "v2", "kept", false)
	})
}

// TestKinds_versionNotServed_finalizersAtOnce checks the same as TestKinds_versionNotServed_finalizers when the version
// stops being served just before the plugin is deleted.
func TestKinds_versionNotServed_finalizersAtOnce(t *testing.T) {
	restarts(t, func(t *testing.T, while func(*operator, func())) {
		o := startOperator(t)
		n := newVersions(t, o)
		n.makeWidget(t, "v1", "widgets", "kept")
		n.expectFinalizers(t, "v1", "kept", true)
		while(o, func() {
			n.serve(t, widgetName, "v2")
			n.delete(t, &pluginsv1alpha1.WasmPlugin{ObjectMeta: n.Meta("finalizer")})
		})
		n.expectPluginDeleted(t, "finalizer")
		n.expectFinalizers(t, "v2", "kept", false)
	})
}

// TestKinds_noVersionServed_finalizers checks that the deletion of a plugin is blocked while no version of its kind is
// served, because the objects of the kind still exist.
func TestKinds_noVersionServed_finalizers(t *testing.T) {
	restarts(t, func(t *testing.T, while func(*operator, func())) {
		o := startOperator(t)
		n := newVersions(t, o)
		n.makeWidget(t, "v1", "widgets", "kept")
		n.expectFinalizers(t, "v1", "kept", true)
		while(o, func() { n.serve(t, widgetName) })
		n.ExpectCondition(t, "finalizer", pluginsv1alpha1.ConditionReady, metav1.ConditionFalse, pluginsv1alpha1.ReasonKindNotFound)
		while(o, func() { n.delete(t, &pluginsv1alpha1.WasmPlugin{ObjectMeta: n.Meta("finalizer")}) })
		testenv.Eventually(t, "the plugin says what it waits for", func(ctx context.Context) error {
			wp, err := n.GetPlugin(ctx, "finalizer")
			if err != nil {
				return err
			}
			c := meta.FindStatusCondition(wp.Status.Conditions, pluginsv1alpha1.ConditionCleanedUp)
			if c == nil || c.Status != metav1.ConditionFalse || !strings.Contains(c.Message, `CustomResourceDefinition "widgets.test.k1s.io" is served in no version`) {
				return fmt.Errorf("CleanedUp is %+v", c)
			}
			return nil
		})
		while(o, func() { n.serve(t, widgetName, "v2") })
		n.expectPluginDeleted(t, "finalizer")
		n.expectFinalizers(t, "v2", "kept", false)
	})
}

// TestKinds_notServed_guests checks that a guest which reads an object of a kind that is no longer served receives an
// error that says so, and not one that the object does not exist.
func TestKinds_notServed_guests(t *testing.T) {
	for name, deleted := range map[string]func(n finalized, t *testing.T){
		"version": func(n finalized, t *testing.T) { n.serve(t, widgetName, "v2") },
		"kind":    func(n finalized, t *testing.T) { n.uninstall(t, widgetName) },
	} {
		t.Run(name, func(t *testing.T) {
			o := startOperator(t)
			n := newFinalized(t, o.env)
			n.GrantCluster(t, testenv.AccountSubject(n.NS, "plugin"), rule("categories", "get", "list", "watch"), widgets("get", "list", "delete"))
			n.install(t, testenv.Definition(widgetGroup, "widgets", "Widget", "v1", "v2"))
			n.makeWidget(t, "v1", "widgets", "read")
			n.category(t, "tools")
			read := func(plugin, want string) { // one plugin for each read, because equal Events are aggregated
				t.Helper()
				n.Store(t, plugin, localFixture(t, "reader.wasm"))
				n.Plugin(t, plugin, func(s *pluginsv1alpha1.WasmPluginSpec) {
					s.Settings = &runtime.RawExtension{Raw: fmt.Appendf(nil, `{"apiVersion":"test.k1s.io/v1","kind":"Widget","namespace":%q,"name":"read"}`, n.NS)}
				})
				n.expectEvent(t, plugin, "ReconcileFailed", want)
			}
			read("before", "read ok")
			deleted(n, t)
			const want = `answered BadRequest: kind "Widget" of "test.k1s.io/v1" is not installed`
			read("after", want)
			o.end(t)
			o.start(t)
			read("restarted", want)
		})
	}
}

// TestWasmPlugin_source_followsSpec checks that the source in the status follows the spec, even if the module is the
// same.
func TestWasmPlugin_source_followsSpec(t *testing.T) {
	o := startOperator(t)
	n := newTenant(t, o.env, annotatorRules()...)
	n.Store(t, "annotator", conformanceFixture(t, "annotator.wasm"))
	n.Store(t, "copy", conformanceFixture(t, "annotator.wasm"))
	n.Plugin(t, "annotator")
	n.ExpectReady(t, "annotator")
	expectSource := func(want string) {
		t.Helper()
		testenv.Eventually(t, "the source is "+want, func(ctx context.Context) error {
			wp, err := n.GetPlugin(ctx, "annotator")
			if err == nil && (wp.Status.Revision == nil || !strings.Contains(wp.Status.Revision.Source, want)) {
				err = fmt.Errorf("the revision is %+v", wp.Status.Revision)
			}
			return err
		})
	}
	expectSource("annotator")
	n.change(t, "annotator", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Source.ConfigMap.Name = "copy" })
	expectSource("copy")
	n.ExpectReady(t, "annotator")
	o.end(t)
	o.start(t)
	n.ExpectReady(t, "annotator")
	expectSource("copy")
}

// TestKinds_versionNotServed_previousRevisionEvents checks that a previous revision which serves because the current
// module cannot be loaded is stopped and started with its kind, too.
func TestKinds_versionNotServed_previousRevisionEvents(t *testing.T) {
	o := startOperator(t)
	n := newVersions(t, o)
	n.StoreRaw(t, "finalizer", []byte("no module"))
	n.ExpectCondition(t, "finalizer", pluginsv1alpha1.ConditionServing, metav1.ConditionTrue, pluginsv1alpha1.ReasonPreviousRevision)
	n.serve(t, widgetName, "v2")
	n.ExpectCondition(t, "finalizer", pluginsv1alpha1.ConditionServing, metav1.ConditionFalse, pluginsv1alpha1.ReasonNoRevision, `kind "Widget" is served in v2, not in v1`)
	expectWatches(t, o.env, "widgets", 0)
	n.serve(t, widgetName, "v1", "v2")
	n.ExpectCondition(t, "finalizer", pluginsv1alpha1.ConditionServing, metav1.ConditionTrue, pluginsv1alpha1.ReasonPreviousRevision)
	n.makeWidget(t, "v1", "widgets", "again")
	n.expectTrace(t, "seen-again")
}
