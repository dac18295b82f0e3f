// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
)

// TestWasmPlugin_kindInstalledLater checks that a plugin which owns a kind that is not installed waits, and loads as
// soon as the kind is installed and the operator is allowed to watch it. From then on, a change of an owned object
// triggers a reconcile of its owner.
func TestWasmPlugin_kindInstalledLater(t *testing.T) {
	o := startOperator(t, pollsOften)
	late := rbacv1.PolicyRule{APIGroups: []string{"late.example.com"}, Resources: []string{"boxes"}, Verbs: []string{"get", "list", "watch"}}
	n := newTenant(t, o.env, append(annotatorRules(), late)...)
	n.Store(t, "annotator", conformanceFixture(t, "annotator.wasm"))
	n.Plugin(t, "annotator", func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.Owns = []pluginsv1alpha1.TypeReference{{APIVersion: "late.example.com/v1", Kind: "Box"}}
	})
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionReady, metav1.ConditionFalse, pluginsv1alpha1.ReasonKindNotFound)

	n.Create(t, testenv.Definition("late.example.com", "boxes", "Box", "v1"))
	n.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionReady, metav1.ConditionFalse, pluginsv1alpha1.ReasonOperatorForbidden)
	// As in a cluster, where a labeled ClusterRole is aggregated to the operator's ClusterRole.
	n.Create(t, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "late"}, Rules: []rbacv1.PolicyRule{late}})
	n.Create(t, testenv.Binding("", "late", "late", testenv.UserSubject(operatorUser)))
	n.ExpectReady(t, "annotator")
	expectWatches(t, o.env, "boxes", 1)

	n.category(t, "owner")
	n.expectAnnotated(t, "owner")
	n.unannotate(t, "owner") // a change of the owner itself: wait until the plugin has received it
	n.expectAnnotated(t, "owner")
	n.expectNotifiedByOwned(t, "owner")
}

// expectNotifiedByOwned creates an object that a Category owns, and waits for a failed call of the plugin, which only the
// event of the owned object can cause.
func (n tenant) expectNotifiedByOwned(t *testing.T, owner string) {
	t.Helper()
	var c inventoryv1alpha1.Category
	n.Get(t, client.ObjectKey{Namespace: n.NS, Name: owner}, &c)
	box := &unstructured.Unstructured{}
	box.SetAPIVersion("late.example.com/v1")
	box.SetKind("Box")
	box.SetNamespace(n.NS)
	box.SetName("owned")
	box.SetOwnerReferences([]metav1.OwnerReference{*metav1.NewControllerRef(&c, inventoryv1alpha1.GroupVersion.WithKind("Category"))})
	before := n.failures(t)
	// Without the permission to patch, every call fails and an Event reports it, which shows the call because of the
	// Box.
	role := &rbacv1.Role{ObjectMeta: n.Meta("plugin"), Rules: []rbacv1.PolicyRule{
		rule("categories", "get", "list", "watch"),
		{APIGroups: []string{"late.example.com"}, Resources: []string{"boxes"}, Verbs: []string{"get", "list", "watch"}},
	}}
	n.Update(t, role)
	n.Create(t, box)
	testenv.Eventually(t, "the owner is reconciled when what it owns changes", func(ctx context.Context) error {
		if after := n.failures(t); after <= before {
			return fmt.Errorf("%d failed calls, as before", after)
		}
		return nil
	})
}

// failures counts the Events about failed calls.
func (n tenant) failures(t *testing.T) int {
	t.Helper()
	count := 0
	for _, e := range n.events(t) {
		if e.Reason == "ReconcileFailed" {
			count++
		}
	}
	return count
}

// unannotate removes the annotation of the annotator from a Category.
func (n tenant) unannotate(t *testing.T, name string) {
	t.Helper()
	c := &inventoryv1alpha1.Category{ObjectMeta: n.Meta(name)}
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:null}}}`, seenAnnotation)
	if err := n.Client.Patch(t.Context(), c, client.RawPatch("application/merge-patch+json", patch)); err != nil {
		t.Fatal(err)
	}
}
