// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
)

// relabel sets the labels of a Category, and changes nothing else.
func (n tenant) relabel(t *testing.T, name string, labels map[string]string) {
	t.Helper()
	testenv.Eventually(t, "change the labels of Category "+name, func(ctx context.Context) error {
		var c inventoryv1alpha1.Category
		if err := n.Client.Get(ctx, client.ObjectKey{Namespace: n.NS, Name: name}, &c); err != nil {
			return err
		}
		c.Labels = labels
		return n.Client.Update(ctx, &c)
	})
}

func (n tenant) hasConfigMap(ctx context.Context, name string) (bool, error) {
	err := n.Client.Get(ctx, client.ObjectKey{Namespace: n.NS, Name: name}, &corev1.ConfigMap{})
	return err == nil, client.IgnoreNotFound(err)
}

func (n tenant) expectConfigMap(t *testing.T, name string) {
	t.Helper()
	testenv.Eventually(t, "there is a ConfigMap "+name, func(ctx context.Context) error {
		if there, err := n.hasConfigMap(ctx, name); err != nil || !there {
			return fmt.Errorf("there is none: %w", err)
		}
		return nil
	})
}

// TestWasmPlugin_leavesSelector checks that an object which stops matching the selector is passed to the guest once,
// without the object, as after a deletion, and then not again until it matches, even if the operator restarts in
// between.
func TestWasmPlugin_leavesSelector(t *testing.T) {
	o := startOperator(t)
	shop := newTenant(t, o.env, rule("categories", "get", "list", "watch"),
		rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"create"}})
	shop.Store(t, "leaver", localFixture(t, "leaver.wasm"))
	shop.Plugin(t, "leaver", func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.ForTypes = []pluginsv1alpha1.ForType{{
			TypeReference: forType("Category").TypeReference, LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kept": "yes"}},
		}}
	})
	shop.ExpectReady(t, "leaver")
	kept := map[string]string{"kept": "yes"}
	for _, name := range []string{"stays", "restarts"} {
		shop.Create(t, &inventoryv1alpha1.Category{
			ObjectMeta: metav1.ObjectMeta{Namespace: shop.NS, Name: name, Labels: kept}, Spec: inventoryv1alpha1.CategorySpec{Name: name},
		})
		shop.expectConfigMap(t, "seen-"+name)
		shop.relabel(t, name, nil)
		shop.expectConfigMap(t, "gone-"+name)
		if name == "restarts" {
			o.end(t)
			o.start(t)
			shop.ExpectReady(t, "leaver")
		}
		for i := range 3 {
			shop.relabel(t, name, map[string]string{"change": fmt.Sprint(i)})
		}
		shop.relabel(t, name, kept)
		shop.expectConfigMap(t, "back-"+name) // so that all earlier events have been handled
		if there, err := shop.hasConfigMap(t.Context(), "again-"+name); there || err != nil {
			t.Errorf("%s was delivered without the object more than once (%v)", name, err)
		}
	}
}

// TestWasmPlugin_selfTriggered checks that a plugin which triggers itself by its own writes is slowed down, and that an
// Event says why. It receives the changes of others immediately.
func TestWasmPlugin_selfTriggered(t *testing.T) {
	o := startOperator(t)
	shop := newTenant(t, o.env, rule("categories", "get", "list", "watch", "patch"))
	shop.Store(t, "toucher", localFixture(t, "toucher.wasm"))
	shop.Plugin(t, "toucher")
	shop.ExpectReady(t, "toucher")
	shop.category(t, "tools")
	shop.expectEvent(t, "toucher", "SelfTriggered", "Category "+shop.NS+"/tools", "own writes")
	touched := func(ctx context.Context) string {
		var c inventoryv1alpha1.Category
		if err := shop.Client.Get(ctx, client.ObjectKey{Namespace: shop.NS, Name: "tools"}, &c); err != nil && !apierrors.IsNotFound(err) {
			t.Fatal(err)
		}
		return c.Annotations["touched"]
	}
	before := touched(t.Context())
	if before == "" {
		t.Fatal("the Category was not touched")
	}
	shop.relabel(t, "tools", map[string]string{"changed": "by-somebody"})
	testenv.Eventually(t, "the change of somebody else is reconciled", func(ctx context.Context) error {
		if touched(ctx) == before {
			return fmt.Errorf("the Category is still %q", before)
		}
		return nil
	})
}
