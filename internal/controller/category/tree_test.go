// SPDX-License-Identifier: Apache-2.0

package category

import (
	"context"
	"fmt"
	"testing"

	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	"github.com/k1s-io/k1s/internal/embedded/status"
	"github.com/k1s-io/k1s/internal/testenv"
)

// message returns the message of a Category's condition HierarchyValid.
func message(category *inventoryv1alpha1.Category) string {
	return meta.FindStatusCondition(category.Status.Conditions, inventoryv1alpha1.ConditionHierarchyValid).Message
}

// TestCategory_reconcile_parentMissing creates a whole branch before its root.
func TestCategory_reconcile_parentMissing(t *testing.T) {
	env := testenv.Shared(t)
	namespace, elsewhere := env.Namespace(t), env.Namespace(t)
	startController(t, env)
	env.Create(t, newCategory(elsewhere, "a", ""), // of the same name, but in another namespace
		newCategory(namespace, "d", "c"), newCategory(namespace, "c", "b"), newCategory(namespace, "b", "a"))
	eventually(t, env, namespace, "b", wanted{0, 1, "ParentNotFound"})
	eventually(t, env, namespace, "c", wanted{0, 1, "ParentNotFound"})
	d := eventually(t, env, namespace, "d", wanted{0, 0, "ParentNotFound"})
	if got, want := message(d), `Ancestor "a" does not exist: d -> c -> b -> a`; got != want {
		t.Errorf("message: got %q, want %q", got, want)
	}

	env.Create(t, newCategory(namespace, "a", ""))
	eventually(t, env, namespace, "a", wanted{0, 1, "Root"})
	eventually(t, env, namespace, "b", wanted{0, 1, "ParentFound"})
	eventually(t, env, namespace, "c", wanted{0, 1, "ParentFound"})
	eventually(t, env, namespace, "d", wanted{0, 0, "ParentFound"})

	env.Delete(t, newCategory(namespace, "b", ""))
	eventually(t, env, namespace, "a", wanted{0, 0, "Root"})
	eventually(t, env, namespace, "c", wanted{0, 1, "ParentNotFound"})
	eventually(t, env, namespace, "d", wanted{0, 0, "ParentNotFound"})
	eventually(t, env, elsewhere, "a", wanted{0, 0, "Root"})
}

// TestCategory_reconcile_cycle closes and opens a cycle of three, with a descendant and an unrelated Category.
func TestCategory_reconcile_cycle(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	startController(t, env)
	env.Create(t, newCategory(namespace, "a", ""), newCategory(namespace, "b", "a"), newCategory(namespace, "c", "b"),
		newCategory(namespace, "below", "b"), newCategory(namespace, "bystander", ""))
	eventually(t, env, namespace, "below", wanted{0, 0, "ParentFound"})

	move(t, env, namespace, "a", "c")
	for name, want := range map[string]struct {
		subcategories int32
		message       string
	}{
		"a":     {1, "The category is its own ancestor: a -> c -> b -> a"},
		"b":     {2, "The category is its own ancestor: b -> a -> c -> b"},
		"c":     {1, "The category is its own ancestor: c -> b -> a -> c"},
		"below": {0, "The ancestors form a cycle: below -> b -> a -> c -> b"},
	} {
		category := eventually(t, env, namespace, name, wanted{0, want.subcategories, "Cycle"})
		if got := message(category); got != want.message {
			t.Errorf("message of %s: got %q, want %q", name, got, want.message)
		}
	}
	eventually(t, env, namespace, "bystander", wanted{0, 0, "Root"})

	move(t, env, namespace, "a", "bystander")
	eventually(t, env, namespace, "a", wanted{0, 1, "ParentFound"})
	eventually(t, env, namespace, "b", wanted{0, 2, "ParentFound"})
	eventually(t, env, namespace, "c", wanted{0, 0, "ParentFound"})
	eventually(t, env, namespace, "below", wanted{0, 0, "ParentFound"})
	eventually(t, env, namespace, "bystander", wanted{0, 1, "Root"})
}

// TestCategory_reconcile_cycleMemberDeleted breaks a cycle by deletion.
func TestCategory_reconcile_cycleMemberDeleted(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	startController(t, env)
	env.Create(t, newCategory(namespace, "a", "b"), newCategory(namespace, "b", "a"))
	eventually(t, env, namespace, "a", wanted{0, 1, "Cycle"})
	eventually(t, env, namespace, "b", wanted{0, 1, "Cycle"})
	env.Delete(t, newCategory(namespace, "a", ""))
	eventually(t, env, namespace, "b", wanted{0, 0, "ParentNotFound"})
}

func TestCategory_reconcile_events(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	startController(t, env)
	env.Create(t, newCategory(namespace, "saws", "tools"))
	expectEvent(t, env, namespace, "Warning", "ParentNotFound")
	env.Create(t, newCategory(namespace, "tools", "saws"))
	expectEvent(t, env, namespace, "Warning", "Cycle")
	move(t, env, namespace, "tools", "")
	expectEvent(t, env, namespace, "Normal", "ParentFound")
}

// expectEvent waits for an Event.
func expectEvent(t *testing.T, env *testenv.Env, namespace, eventType, reason string) {
	t.Helper()
	testenv.Eventually(t, "the event "+reason, func(ctx context.Context) error {
		var events eventsv1.EventList
		if err := env.Client.List(ctx, &events, client.InNamespace(namespace)); err != nil {
			return err
		}
		for _, event := range events.Items {
			if event.Type == eventType && event.Reason == reason && event.ReportingController == FieldManager {
				return nil
			}
		}
		return fmt.Errorf("got %d others", len(events.Items))
	})
}

// TestCategory_reconcile_pluginFieldsSurvive has a plugin write its own fields, before and after this controller
// writes.
func TestCategory_reconcile_pluginFieldsSurvive(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	category := newCategory(namespace, "tools", "")
	env.Create(t, category)
	plugin := status.Writer{Client: env.Client, FieldManager: "category-hierarchy", Kind: inventoryv1alpha1.GroupVersion.WithKind("Category")}
	write := func(depth int32, path string) {
		t.Helper()
		err := plugin.Apply(t.Context(), newCategory(namespace, "tools", ""), &inventoryv1alpha1.CategoryStatus{
			Depth: &depth, Path: path,
			Conditions: []metav1.Condition{{Type: "Indexed", Status: metav1.ConditionTrue, Reason: "Done", LastTransitionTime: metav1.Now()}},
		})
		if err != nil {
			t.Fatalf("write as the plugin: %v", err)
		}
	}
	expect := func(step string, want wanted, depth int32, path string) {
		t.Helper()
		got := eventually(t, env, namespace, "tools", want).Status
		if got.Depth == nil || *got.Depth != depth || got.Path != path || !meta.IsStatusConditionTrue(got.Conditions, "Indexed") {
			t.Errorf("%s: what the plugin wrote is not there: %+v", step, got)
		}
	}

	write(0, "tools")
	startController(t, env)
	expect("the controller's first write", wanted{0, 0, "Root"}, 0, "tools")
	env.Create(t, newItem(namespace, "a", "tools"))
	expect("the controller's second write", wanted{1, 0, "Root"}, 0, "tools")
	write(3, "x/y/z/tools")
	expect("the plugin's second write", wanted{1, 0, "Root"}, 3, "x/y/z/tools")
	env.Create(t, newItem(namespace, "b", "tools"))
	expect("the controller's third write", wanted{2, 0, "Root"}, 3, "x/y/z/tools")
}

func TestCategory_reconcile_notFound(t *testing.T) {
	env := testenv.Shared(t)
	controller := startController(t, env)
	request := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: env.Namespace(t), Name: "gone"}}
	if result, err := controller.Reconcile(t.Context(), request); err != nil || !result.IsZero() {
		t.Errorf("a Category that is gone: got %v, %v, want nothing to do", result, err)
	}
}

// TestCategory_reconcile_foreignChangeUndone has another client write a wrong count.
func TestCategory_reconcile_foreignChangeUndone(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	startController(t, env)
	category := newCategory(namespace, "tools", "")
	env.Create(t, category)
	eventually(t, env, namespace, "tools", wanted{0, 0, "Root"})
	patch := client.RawPatch(types.MergePatchType, []byte(`{"status":{"itemCount":99}}`))
	if err := env.Client.Status().Patch(t.Context(), category, patch); err != nil {
		t.Fatalf("write a wrong count: %v", err)
	}
	if *category.Status.ItemCount != 99 {
		t.Fatal("the wrong count was not written")
	}
	eventually(t, env, namespace, "tools", wanted{0, 0, "Root"})
}
