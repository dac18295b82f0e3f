// SPDX-License-Identifier: Apache-2.0

package item

import (
	"context"
	"fmt"
	"testing"

	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	"github.com/k1s-io/k1s/internal/embedded"
	"github.com/k1s-io/k1s/internal/embedded/status"
	"github.com/k1s-io/k1s/internal/testenv"
)

func TestItem_reconcile_status(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	startController(t, env)
	env.Create(t, newCategory(namespace))

	cases := []struct {
		name, why string
		change    func(*inventoryv1alpha1.ItemSpec)
		want      wanted
	}{
		{
			name: "plain", why: "the API's default is one piece",
			change: func(*inventoryv1alpha1.ItemSpec) {},
			want:   wanted{"Available", "NoCategory", metav1.ConditionTrue, "Reconciled"},
		},
		{
			name: "sold-out", why: "0 is not the same as absent",
			change: func(s *inventoryv1alpha1.ItemSpec) { s.Quantity, s.Category = new(int32), "tools" },
			want:   wanted{"OutOfStock", "CategoryFound", metav1.ConditionTrue, "Reconciled"},
		},
		{
			name: "kept-back", why: "it is tagged",
			change: func(s *inventoryv1alpha1.ItemSpec) { s.Tags = []string{"reserved"} },
			want:   wanted{"Reserved", "NoCategory", metav1.ConditionTrue, "Reconciled"},
		},
		{
			name: "lost", why: "its category does not exist, which says nothing about its stock",
			change: func(s *inventoryv1alpha1.ItemSpec) { s.Category, s.Tags = "nowhere", []string{"discontinued"} },
			want:   wanted{"Discontinued", "CategoryNotFound", metav1.ConditionFalse, "CategoryNotFound"},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			env.Create(t, newItem(namespace, c.name, c.change))
			eventually(t, env, namespace, c.name, c.want)
		})
	}
}

func TestItem_reconcile_specChanges(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	startController(t, env)
	item := newItem(namespace, "hammer")
	env.Create(t, item)
	item = eventually(t, env, namespace, "hammer", wanted{"Available", "NoCategory", metav1.ConditionTrue, "Reconciled"})
	transition := meta.FindStatusCondition(item.Status.Conditions, "Ready").LastTransitionTime

	item.Spec.Quantity, item.Spec.Tags = new(int32), []string{"reserved"}
	env.Update(t, item)
	item = eventually(t, env, namespace, "hammer", wanted{"OutOfStock", "NoCategory", metav1.ConditionTrue, "Reconciled"})
	if got := meta.FindStatusCondition(item.Status.Conditions, "Ready").LastTransitionTime; !got.Equal(&transition) {
		t.Errorf("Ready stayed true, but its transition moved from %v to %v", transition, got)
	}
}

// TestItem_reconcile_categoryMissing creates and deletes a Category. Another namespace has one of the same name all the
// time, which must not count.
func TestItem_reconcile_categoryMissing(t *testing.T) {
	env := testenv.Shared(t)
	namespace, elsewhere := env.Namespace(t), env.Namespace(t)
	startController(t, env)
	env.Create(t, newCategory(elsewhere),
		newItem(namespace, "hammer", in("tools")), newItem(namespace, "saw", in("tools")), newItem(elsewhere, "hammer", in("tools")))
	found := wanted{"Available", "CategoryFound", metav1.ConditionTrue, "Reconciled"}
	missing := wanted{"Available", "CategoryNotFound", metav1.ConditionFalse, "CategoryNotFound"}
	eventually(t, env, namespace, "hammer", missing)
	eventually(t, env, namespace, "saw", missing)
	eventually(t, env, elsewhere, "hammer", found)

	category := newCategory(namespace)
	env.Create(t, category)
	eventually(t, env, namespace, "hammer", found)
	eventually(t, env, namespace, "saw", found)

	env.Delete(t, category)
	eventually(t, env, namespace, "hammer", missing)
	eventually(t, env, namespace, "saw", missing)
	eventually(t, env, elsewhere, "hammer", found)
}

func TestItem_reconcile_events(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	startController(t, env)
	env.Create(t, newItem(namespace, "hammer", in("tools")), newItem(namespace, "saw"))
	eventually(t, env, namespace, "saw", wanted{"Available", "NoCategory", metav1.ConditionTrue, "Reconciled"})
	expectEvent(t, env, namespace, "Warning", "CategoryNotFound")
	env.Create(t, newCategory(namespace))
	expectEvent(t, env, namespace, "Normal", "CategoryFound")

	var events eventsv1.EventList
	env.List(t, &events, client.InNamespace(namespace))
	for _, event := range events.Items {
		if event.Regarding.Name != "hammer" || event.ReportingController != FieldManager {
			t.Errorf("unexpected event: %+v", event)
		}
	}
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
			if event.Type == eventType && event.Reason == reason {
				return nil
			}
		}
		return fmt.Errorf("got %d others", len(events.Items))
	})
}

func TestItem_reconcile_secondRunWritesNothing(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	controller := startController(t, env)
	env.Create(t, newCategory(namespace), newItem(namespace, "hammer", in("tools")), newItem(namespace, "lost", in("nowhere")))
	before := map[string]string{
		"hammer": eventually(t, env, namespace, "hammer", wanted{"Available", "CategoryFound", metav1.ConditionTrue, "Reconciled"}).ResourceVersion,
		"lost":   eventually(t, env, namespace, "lost", wanted{"Available", "CategoryNotFound", metav1.ConditionFalse, "CategoryNotFound"}).ResourceVersion,
	}
	idle(t, controller)
	for name := range before {
		for range 3 {
			if _, err := controller.Reconcile(t.Context(), request(namespace, name)); err != nil {
				t.Fatalf("reconcile %q: %v", name, err)
			}
		}
	}
	// A restart reconciles everything once more.
	if err := controller.SetConfig(controller.GetConfig()); err != nil {
		t.Fatalf("restart: %v", err)
	}
	idle(t, controller)
	for name, version := range before {
		item := &inventoryv1alpha1.Item{}
		env.Get(t, client.ObjectKey{Namespace: namespace, Name: name}, item)
		if item.ResourceVersion != version {
			t.Errorf("%q was written: resource version %s, then %s", name, version, item.ResourceVersion)
		}
	}
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

// request returns a request for an Item.
func request(namespace, name string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}
}

func TestItem_reconcile_notFound(t *testing.T) {
	env := testenv.Shared(t)
	controller := startController(t, env)
	if result, err := controller.Reconcile(t.Context(), request(env.Namespace(t), "gone")); err != nil || !result.IsZero() {
		t.Errorf("an Item that is gone: got %v, %v, want nothing to do", result, err)
	}
}

// TestItem_reconcile_others has other clients write to the status: their own fields stay, and their changes of the
// controller's fields are undone.
func TestItem_reconcile_others(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	startController(t, env)
	settled := wanted{"Available", "NoCategory", metav1.ConditionTrue, "Reconciled"}
	env.Create(t, newItem(namespace, "hammer"))
	eventually(t, env, namespace, "hammer", settled)

	writer := status.Writer{Client: env.Client, FieldManager: "auditor", Kind: inventoryv1alpha1.GroupVersion.WithKind("Item")}
	err := writer.Apply(t.Context(), newItem(namespace, "hammer"), &inventoryv1alpha1.ItemStatus{
		Availability: "Discontinued",
		Conditions: []metav1.Condition{{
			Type: "Audited", Status: metav1.ConditionTrue, Reason: "Counted", LastTransitionTime: metav1.Now(),
		}},
	})
	if err != nil {
		t.Fatalf("write as somebody else: %v", err)
	}
	item := eventually(t, env, namespace, "hammer", settled)
	if !meta.IsStatusConditionTrue(item.Status.Conditions, "Audited") {
		t.Errorf("the condition of somebody else is gone: %+v", item.Status.Conditions)
	}
}

// TestItem_restart changes an Item and its category while the controller is stopped.
func TestItem_restart(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	controller := startController(t, env)
	item := newItem(namespace, "hammer", in("tools"))
	env.Create(t, item)
	item = eventually(t, env, namespace, "hammer", wanted{"Available", "CategoryNotFound", metav1.ConditionFalse, "CategoryNotFound"})
	if err := controller.Stop(); err != nil {
		t.Fatalf("stop: %v", err)
	}
	env.Create(t, newCategory(namespace))
	item.Spec.Quantity = new(int32)
	env.Update(t, item)
	if err := controller.Start(t.Context()); err != nil {
		t.Fatalf("start: %v", err)
	}
	eventually(t, env, namespace, "hammer", wanted{"OutOfStock", "CategoryFound", metav1.ConditionTrue, "Reconciled"})
}

func TestNew_twice(t *testing.T) {
	env := testenv.Shared(t)
	env.StartManager(t, func(mgr manager.Manager) error {
		if _, err := New(mgr, embedded.DefaultConfig()); err != nil {
			return err
		}
		if _, err := New(mgr, embedded.DefaultConfig()); err == nil {
			t.Error("a manager took the controller twice")
		}
		return nil
	})
}
