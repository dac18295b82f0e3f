// SPDX-License-Identifier: Apache-2.0

package category

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
)

func TestCategory_nextStatus_change(t *testing.T) {
	then := metav1.NewTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	now := metav1.NewTime(then.Add(time.Hour))
	root := verdict{reason: inventoryv1alpha1.ReasonRoot, path: []string{"tools"}}
	settled := func() *inventoryv1alpha1.Category {
		category := newCategory("shop", "tools", "")
		category.Generation = 1
		category.Status, _ = nextStatus(category, counts{items: 2, subcategories: 1}, root, then)
		return category
	}
	cases := []struct {
		name, why string
		change    func(*inventoryv1alpha1.Category)
		counts    counts
		want      bool
	}{
		{"nothing", "a second run writes nothing", func(*inventoryv1alpha1.Category) {}, counts{2, 1}, false},
		{
			"what a plugin wrote", "it belongs to the plugin",
			func(c *inventoryv1alpha1.Category) {
				c.Status.Depth, c.Status.Path = new(int32), "tools"
				c.Status.Conditions = append(c.Status.Conditions, metav1.Condition{Type: "Indexed"})
			}, counts{2, 1}, false,
		},
		{"an item more", "the count changes", func(*inventoryv1alpha1.Category) {}, counts{3, 1}, true},
		{"a subcategory less", "the count changes", func(*inventoryv1alpha1.Category) {}, counts{2, 0}, true},
		{"the generation", "readers wait for it", func(c *inventoryv1alpha1.Category) { c.Generation = 2 }, counts{2, 1}, true},
		{"a count removed", "it is put back", func(c *inventoryv1alpha1.Category) { c.Status.ItemCount = nil }, counts{2, 1}, true},
		{"a condition removed", "it is put back", func(c *inventoryv1alpha1.Category) { c.Status.Conditions = nil }, counts{2, 1}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			category := settled()
			c.change(category)
			next, changed := nextStatus(category, c.counts, root, now)
			if changed != c.want {
				t.Errorf("%s: changed = %t, want %t; status %+v", c.why, changed, c.want, next)
			}
			if next.Depth != nil || next.Path != "" || len(next.Conditions) != 2 {
				t.Errorf("what belongs to the plugin would be applied: %+v", next)
			}
			if !next.LastUpdated.Equal(&now) {
				t.Errorf("lastUpdated of what would be written: got %v, want %v", next.LastUpdated, now)
			}
		})
	}
}

func TestCategory_joinsOrLeaves(t *testing.T) {
	in := func(category string) *inventoryv1alpha1.Item { return newItem("shop", "hammer", category) }
	cases := []struct {
		name, why string
		pass      bool
		want      bool
	}{
		{"created", "a count changes", joinsOrLeaves().Create(event.CreateEvent{Object: in("tools")}), true},
		{"initial", "the Category is in the initial list too", joinsOrLeaves().Create(event.CreateEvent{Object: in("tools"), IsInInitialList: true}), false},
		{"deleted", "a count changes", joinsOrLeaves().Delete(event.DeleteEvent{Object: in("tools")}), true},
		{"moved", "two counts change", joinsOrLeaves().Update(event.UpdateEvent{ObjectOld: in("tools"), ObjectNew: in("toys")}), true},
		{"joined", "a count changes", joinsOrLeaves().Update(event.UpdateEvent{ObjectOld: in(""), ObjectNew: in("toys")}), true},
		{"left", "a count changes", joinsOrLeaves().Update(event.UpdateEvent{ObjectOld: in("tools"), ObjectNew: in("")}), true},
		{"stayed", "the stock is none of the category's business", joinsOrLeaves().Update(event.UpdateEvent{ObjectOld: in("tools"), ObjectNew: in("tools")}), false},
		{"stayed outside", "no count changes", joinsOrLeaves().Update(event.UpdateEvent{ObjectOld: in(""), ObjectNew: in("")}), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.pass != c.want {
				t.Errorf("%s: got %t", c.why, c.pass)
			}
		})
	}
}
