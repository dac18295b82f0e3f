// SPDX-License-Identifier: Apache-2.0

package category

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
)

func TestCategory_reconcile_counts(t *testing.T) {
	env := testenv.Shared(t)
	namespace, elsewhere := env.Namespace(t), env.Namespace(t)
	startController(t, env)
	env.Create(t,
		newCategory(namespace, "tools", ""), newCategory(namespace, "toys", ""), newCategory(namespace, "saws", "tools"),
		newItem(namespace, "a", "tools"), newItem(namespace, "b", "tools"), newItem(namespace, "c", "toys"), newItem(namespace, "d", ""),
		// The same names in another namespace count there, and nowhere else.
		newCategory(elsewhere, "tools", ""), newItem(elsewhere, "a", "tools"), newItem(elsewhere, "e", "saws"),
	)
	expect := func(step string, tools, toys, saws wanted) {
		t.Helper()
		t.Log(step)
		eventually(t, env, namespace, "tools", tools)
		eventually(t, env, namespace, "toys", toys)
		eventually(t, env, namespace, "saws", saws)
		eventually(t, env, elsewhere, "tools", wanted{1, 0, "Root"})
	}
	expect("created", wanted{2, 1, "Root"}, wanted{1, 0, "Root"}, wanted{0, 0, "ParentFound"})

	moveItem(t, env, namespace, "a", "toys")
	expect("an item moved", wanted{1, 1, "Root"}, wanted{2, 0, "Root"}, wanted{0, 0, "ParentFound"})
	moveItem(t, env, namespace, "d", "saws")
	expect("an item joined", wanted{1, 1, "Root"}, wanted{2, 0, "Root"}, wanted{1, 0, "ParentFound"})
	moveItem(t, env, namespace, "b", "")
	expect("an item left", wanted{0, 1, "Root"}, wanted{2, 0, "Root"}, wanted{1, 0, "ParentFound"})
	env.Delete(t, newItem(namespace, "a", ""))
	expect("an item deleted", wanted{0, 1, "Root"}, wanted{1, 0, "Root"}, wanted{1, 0, "ParentFound"})
	move(t, env, namespace, "saws", "toys")
	expect("a category moved", wanted{0, 0, "Root"}, wanted{1, 1, "Root"}, wanted{1, 0, "ParentFound"})
	move(t, env, namespace, "saws", "")
	expect("a category became a root", wanted{0, 0, "Root"}, wanted{1, 0, "Root"}, wanted{1, 0, "Root"})

	env.Delete(t, newCategory(namespace, "saws", ""))
	env.Create(t, newCategory(namespace, "saws", "tools"))
	expect("a category deleted and made anew", wanted{0, 1, "Root"}, wanted{1, 0, "Root"}, wanted{1, 0, "ParentFound"})
}

// TestCategory_reconcile_countsAcrossRestart changes everything while the controller is stopped.
func TestCategory_reconcile_countsAcrossRestart(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	controller := startController(t, env)
	env.Create(t, newCategory(namespace, "tools", ""), newCategory(namespace, "toys", ""), newCategory(namespace, "saws", "tools"),
		newItem(namespace, "a", "tools"), newItem(namespace, "b", "tools"))
	eventually(t, env, namespace, "tools", wanted{2, 1, "Root"})
	eventually(t, env, namespace, "toys", wanted{0, 0, "Root"})
	if err := controller.Stop(); err != nil {
		t.Fatalf("stop: %v", err)
	}
	moveItem(t, env, namespace, "a", "toys")
	env.Delete(t, newItem(namespace, "b", ""))
	move(t, env, namespace, "saws", "toys")
	if err := controller.Start(t.Context()); err != nil {
		t.Fatalf("start: %v", err)
	}
	eventually(t, env, namespace, "tools", wanted{0, 0, "Root"})
	eventually(t, env, namespace, "toys", wanted{1, 1, "Root"})
}

// TestCategory_reconcile_countsUnderLoad has many writers change everything at once and then compares
// every count with the truth.
func TestCategory_reconcile_countsUnderLoad(t *testing.T) {
	const writers, items, changes = 8, 5, 60 // items and changes are per writer
	const categories = writers
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	startController(t, env)
	name := func(kind string, n int) string { return fmt.Sprintf("%s-%d", kind, n) }
	for i := range categories {
		env.Create(t, newCategory(namespace, name("category", i), ""))
	}

	var group sync.WaitGroup
	for writer := range writers {
		group.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(writer)))
			// Each writer has its own Items and Category, so that it knows which Items exist.
			own, present := name("category", writer), map[string]bool{}
			for range changes {
				target := name("category", random.IntN(categories))
				item := newItem(namespace, name(name("item", writer), random.IntN(items)), target)
				var err error
				switch {
				case random.IntN(6) == 0 && own != target: // cycles are allowed
					err = setField(t.Context(), env, newCategory(namespace, own, ""), "parent", target)
				case !present[item.Name]:
					err, present[item.Name] = env.Client.Create(t.Context(), item), true
				case random.IntN(4) == 0:
					err, present[item.Name] = env.Client.Delete(t.Context(), item), false
				default:
					err = setField(t.Context(), env, item, "category", target)
				}
				if err != nil {
					t.Errorf("writer %d: %v", writer, err)
				}
			}
		})
	}
	group.Wait()

	testenv.Eventually(t, "the counts are the truth", func(ctx context.Context) error {
		var allItems inventoryv1alpha1.ItemList
		var all inventoryv1alpha1.CategoryList
		if err := env.Client.List(ctx, &allItems, client.InNamespace(namespace)); err != nil {
			return err
		}
		if err := env.Client.List(ctx, &all, client.InNamespace(namespace)); err != nil {
			return err
		}
		truth, hierarchy := map[string]counts{}, parents{}
		for _, item := range allItems.Items {
			c := truth[item.Spec.Category]
			c.items++
			truth[item.Spec.Category] = c
		}
		for _, category := range all.Items {
			c := truth[category.Spec.Parent]
			c.subcategories++
			truth[category.Spec.Parent] = c
			hierarchy[category.Name] = category.Spec.Parent
		}
		for i := range all.Items {
			category := &all.Items[i]
			verdict, err := evaluate(category.Name, category.Spec.Parent, hierarchy.lookup)
			if err != nil {
				return err
			}
			want := truth[category.Name]
			if err := matches(category, wanted{want.items, want.subcategories, verdict.reason}); err != nil {
				return fmt.Errorf("%s: %w", category.Name, err)
			}
		}
		return nil
	})
}

func TestCategory_reconcile_secondRunWritesNothing(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	controller := startController(t, env)
	env.Create(t, newCategory(namespace, "tools", ""), newCategory(namespace, "saws", "tools"), newCategory(namespace, "lost", "nowhere"),
		newItem(namespace, "a", "tools"))
	before := map[string]string{
		"tools": eventually(t, env, namespace, "tools", wanted{1, 1, "Root"}).ResourceVersion,
		"saws":  eventually(t, env, namespace, "saws", wanted{0, 0, "ParentFound"}).ResourceVersion,
		"lost":  eventually(t, env, namespace, "lost", wanted{0, 0, "ParentNotFound"}).ResourceVersion,
	}
	idle(t, controller)
	for name := range before {
		request := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}
		for range 3 {
			if _, err := controller.Reconcile(t.Context(), request); err != nil {
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
		category := &inventoryv1alpha1.Category{}
		env.Get(t, client.ObjectKey{Namespace: namespace, Name: name}, category)
		if category.ResourceVersion != version {
			t.Errorf("%q was written: resource version %s, then %s", name, version, category.ResourceVersion)
		}
	}
}
