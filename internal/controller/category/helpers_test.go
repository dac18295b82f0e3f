// SPDX-License-Identifier: Apache-2.0

package category

import (
	"context"
	"errors"
	"fmt"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	"github.com/k1s-io/k1s/internal/embedded"
	"github.com/k1s-io/k1s/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// rights are the RBAC rules of the markers beside Reconcile. The controller runs with them in every test, so that a
// missing rule shows.
func rights() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		{APIGroups: []string{"inventory.example.com"}, Resources: []string{"items", "categories"}, Verbs: []string{"list", "watch"}},
		{APIGroups: []string{"inventory.example.com"}, Resources: []string{"categories/status"}, Verbs: []string{"patch"}},
		{APIGroups: []string{"events.k8s.io"}, Resources: []string{"events"}, Verbs: []string{"create", "patch"}},
	}
}

// startController runs the controller in a manager that stops when the test ends.
func startController(t *testing.T, env *testenv.Env) embedded.Controller {
	t.Helper()
	config := embedded.DefaultConfig()
	config.MaxConcurrentReconciles = 4
	registry := embedded.NewRegistry()
	env.Limited(t, rights()...).StartManager(t, func(mgr manager.Manager) error {
		return errors.Join(registry.Register(mgr, config, New), registry.SetupWithManager(mgr))
	})
	controller, _ := registry.Get(Name)
	return controller
}

// newCategory returns a Category below a parent, or a root.
func newCategory(namespace, name, parent string) *inventoryv1alpha1.Category {
	return &inventoryv1alpha1.Category{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       inventoryv1alpha1.CategorySpec{Name: "Category", Parent: parent},
	}
}

// newItem returns an Item in a category.
func newItem(namespace, name, category string) *inventoryv1alpha1.Item {
	return &inventoryv1alpha1.Item{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       inventoryv1alpha1.ItemSpec{Name: "Item", Category: category},
	}
}

// move gives a Category another parent.
func move(t *testing.T, env *testenv.Env, namespace, name, parent string) {
	t.Helper()
	if err := setField(t.Context(), env, newCategory(namespace, name, ""), "parent", parent); err != nil {
		t.Fatalf("move Category %q: %v", name, err)
	}
}

// moveItem puts an Item into another category.
func moveItem(t *testing.T, env *testenv.Env, namespace, name, category string) {
	t.Helper()
	if err := setField(t.Context(), env, newItem(namespace, name, ""), "category", category); err != nil {
		t.Fatalf("move Item %q: %v", name, err)
	}
}

// setField writes one field of an object's spec.
func setField(ctx context.Context, env *testenv.Env, object client.Object, field, value string) error {
	patch := fmt.Appendf(nil, `{"spec":{%q:%q}}`, field, value)
	return env.Client.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch))
}

// wanted is the expected status.
type wanted struct {
	items, subcategories int32
	reason               string // of HierarchyValid; Ready follows from it
}

// eventually waits until a Category's status is as wanted, and returns the Category.
func eventually(t *testing.T, env *testenv.Env, namespace, name string, want wanted) *inventoryv1alpha1.Category {
	t.Helper()
	category := &inventoryv1alpha1.Category{}
	testenv.Eventually(t, fmt.Sprintf("the status of %q", name), func(ctx context.Context) error {
		if err := env.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, category); err != nil {
			return err
		}
		return matches(category, want)
	})
	return category
}

// matches returns an error that describes what is wrong with a Category's status.
func matches(category *inventoryv1alpha1.Category, want wanted) error {
	status := category.Status
	valid := meta.FindStatusCondition(status.Conditions, inventoryv1alpha1.ConditionHierarchyValid)
	ready := meta.FindStatusCondition(status.Conditions, inventoryv1alpha1.ConditionReady)
	if valid == nil || ready == nil || status.ItemCount == nil || status.SubcategoryCount == nil || status.LastUpdated == nil {
		return fmt.Errorf("something is missing: %+v", status)
	}
	got := wanted{items: *status.ItemCount, subcategories: *status.SubcategoryCount, reason: valid.Reason}
	if got != want {
		return fmt.Errorf("got %+v, want %+v", got, want)
	}
	wantStatus, wantReady := metav1.ConditionFalse, want.reason
	if want.reason == inventoryv1alpha1.ReasonRoot || want.reason == inventoryv1alpha1.ReasonParentFound {
		wantStatus, wantReady = metav1.ConditionTrue, inventoryv1alpha1.ReasonReconciled
	}
	if valid.Status != wantStatus || ready.Status != wantStatus || ready.Reason != wantReady {
		return fmt.Errorf("the conditions disagree: %+v", status.Conditions)
	}
	if g := category.Generation; status.ObservedGeneration != g || valid.ObservedGeneration != g || ready.ObservedGeneration != g {
		return fmt.Errorf("generation %d is not observed: %+v", g, status)
	}
	return nil
}

// idle waits until the controller has nothing to do.
func idle(t *testing.T, controller embedded.Controller) {
	t.Helper()
	before := controller.GetMetrics().Reconciles
	testenv.Eventually(t, "the queue is empty", func(context.Context) error {
		metrics := controller.GetMetrics()
		quiet := metrics.QueueDepth == 0 && metrics.InFlight == 0 && metrics.Reconciles == before
		before = metrics.Reconciles
		if !quiet {
			return fmt.Errorf("got %+v", metrics)
		}
		return nil
	})
}
