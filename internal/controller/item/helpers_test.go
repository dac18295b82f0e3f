// SPDX-License-Identifier: Apache-2.0

package item

import (
	"context"
	"errors"
	"fmt"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
		{APIGroups: []string{"inventory.example.com"}, Resources: []string{"items/status"}, Verbs: []string{"patch"}},
		{APIGroups: []string{"events.k8s.io"}, Resources: []string{"events"}, Verbs: []string{"create", "patch"}},
	}
}

// startController runs the controller in a manager that stops when the test ends.
func startController(t *testing.T, env *testenv.Env) embedded.Controller {
	t.Helper()
	registry := embedded.NewRegistry()
	env.Limited(t, rights()...).StartManager(t, func(mgr manager.Manager) error {
		return errors.Join(registry.Register(mgr, embedded.DefaultConfig(), New), registry.SetupWithManager(mgr))
	})
	controller, _ := registry.Get(Name)
	return controller
}

// newItem returns a valid Item.
func newItem(namespace, name string, change ...func(*inventoryv1alpha1.ItemSpec)) *inventoryv1alpha1.Item {
	item := &inventoryv1alpha1.Item{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       inventoryv1alpha1.ItemSpec{Name: name},
	}
	for _, c := range change {
		c(&item.Spec)
	}
	return item
}

// in returns a change that puts an Item into a Category.
func in(category string) func(*inventoryv1alpha1.ItemSpec) {
	return func(spec *inventoryv1alpha1.ItemSpec) { spec.Category = category }
}

// newCategory returns the Category "tools".
func newCategory(namespace string) *inventoryv1alpha1.Category {
	return &inventoryv1alpha1.Category{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "tools"},
		Spec:       inventoryv1alpha1.CategorySpec{Name: "Tools"},
	}
}

// wanted is the expected status.
type wanted struct {
	availability inventoryv1alpha1.Availability
	resolved     string // reason of CategoryResolved
	ready        metav1.ConditionStatus
	readyReason  string
}

// eventually waits until an Item's status is as wanted, and returns the Item.
func eventually(t *testing.T, env *testenv.Env, namespace, name string, want wanted) *inventoryv1alpha1.Item {
	t.Helper()
	item := &inventoryv1alpha1.Item{}
	testenv.Eventually(t, fmt.Sprintf("the status of %q", name), func(ctx context.Context) error {
		if err := env.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, item); err != nil {
			return err
		}
		return matches(item, want)
	})
	return item
}

// matches returns an error that describes what is wrong with an Item's status.
func matches(item *inventoryv1alpha1.Item, want wanted) error {
	resolved := meta.FindStatusCondition(item.Status.Conditions, inventoryv1alpha1.ConditionCategoryResolved)
	ready := meta.FindStatusCondition(item.Status.Conditions, inventoryv1alpha1.ConditionReady)
	if resolved == nil || ready == nil {
		return fmt.Errorf("a condition is missing: %+v", item.Status)
	}
	got := wanted{availability: item.Status.Availability, resolved: resolved.Reason, ready: ready.Status, readyReason: ready.Reason}
	if got != want {
		return fmt.Errorf("got %+v, want %+v", got, want)
	}
	if g := item.Generation; item.Status.ObservedGeneration != g || resolved.ObservedGeneration != g || ready.ObservedGeneration != g {
		return fmt.Errorf("generation %d is not observed: %+v", g, item.Status)
	}
	if item.Status.LastUpdated == nil {
		return errors.New("lastUpdated is missing")
	}
	return nil
}
