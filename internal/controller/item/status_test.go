// SPDX-License-Identifier: Apache-2.0

package item

import (
	"reflect"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
)

func TestItem_availability(t *testing.T) {
	reserved, discontinued := inventoryv1alpha1.TagReserved, inventoryv1alpha1.TagDiscontinued
	cases := []struct {
		name, why string
		quantity  *int32
		tags      []string
		want      inventoryv1alpha1.Availability
	}{
		{"in stock", "there are pieces", new(int32(3)), nil, inventoryv1alpha1.AvailabilityAvailable},
		{"one piece", "one is enough", new(int32(1)), nil, inventoryv1alpha1.AvailabilityAvailable},
		{"no quantity", "absent means 1", nil, nil, inventoryv1alpha1.AvailabilityAvailable},
		{"none left", "there is nothing to have", new(int32(0)), nil, inventoryv1alpha1.AvailabilityOutOfStock},
		{"reserved", "the pieces are for somebody else", new(int32(3)), []string{"red", reserved}, inventoryv1alpha1.AvailabilityReserved},
		{"reserved, no quantity", "absent means 1", nil, []string{reserved}, inventoryv1alpha1.AvailabilityReserved},
		{"reserved, none left", "there is nothing to reserve", new(int32(0)), []string{reserved}, inventoryv1alpha1.AvailabilityOutOfStock},
		{"discontinued", "it is on its way out", new(int32(3)), []string{discontinued}, inventoryv1alpha1.AvailabilityDiscontinued},
		{"discontinued, none left", "it will not come back into stock", new(int32(0)), []string{discontinued}, inventoryv1alpha1.AvailabilityDiscontinued},
		{"discontinued and reserved", "it is the stronger word", new(int32(3)), []string{reserved, discontinued}, inventoryv1alpha1.AvailabilityDiscontinued},
		{"other tags", "they mean nothing here", new(int32(3)), []string{"Reserved", "red"}, inventoryv1alpha1.AvailabilityAvailable},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := availability(inventoryv1alpha1.ItemSpec{Quantity: c.quantity, Tags: c.tags}); got != c.want {
				t.Errorf("%s: got %s, want %s", c.why, got, c.want)
			}
		})
	}
}

func TestItem_categoryResolved(t *testing.T) {
	cases := []struct {
		name, why, category string
		exists              bool
		wantStatus          metav1.ConditionStatus
		wantReason          string
		wantMessage         string
	}{
		{
			name: "none", why: "an item need not have a category",
			wantStatus: metav1.ConditionTrue, wantReason: "NoCategory", wantMessage: "The item names no category",
		},
		{
			name: "found", why: "the name leads somewhere", category: "tools", exists: true,
			wantStatus: metav1.ConditionTrue, wantReason: "CategoryFound", wantMessage: `Category "tools" exists`,
		},
		{
			name: "missing", why: "the name leads nowhere", category: "tools",
			wantStatus: metav1.ConditionFalse, wantReason: "CategoryNotFound", wantMessage: `Category "tools" does not exist in namespace "shop"`,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			item := newItem("shop", "hammer", in(c.category))
			item.Generation = 4
			want := metav1.Condition{
				Type: "CategoryResolved", Status: c.wantStatus, Reason: c.wantReason, Message: c.wantMessage, ObservedGeneration: 4,
			}
			if got := categoryResolved(item, c.exists); got != want {
				t.Errorf("%s: got %+v, want %+v", c.why, got, want)
			}
		})
	}
}

func TestItem_nextStatus_change(t *testing.T) {
	then := metav1.NewTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	now := metav1.NewTime(then.Add(time.Hour))
	settled := func() *inventoryv1alpha1.Item {
		item := newItem("shop", "hammer", in("tools"))
		item.Generation = 1
		item.Status, _ = nextStatus(item, true, then)
		return item
	}
	cases := []struct {
		name, why      string
		change         func(*inventoryv1alpha1.Item)
		categoryExists bool
		want           bool
	}{
		{"nothing", "a second run writes nothing", func(*inventoryv1alpha1.Item) {}, true, false},
		{
			"a foreign condition", "it belongs to somebody else",
			func(i *inventoryv1alpha1.Item) {
				i.Status.Conditions = append(i.Status.Conditions, metav1.Condition{Type: "Audited"})
			}, true, false,
		},
		{"the category is gone", "the conditions change", func(*inventoryv1alpha1.Item) {}, false, true},
		{"the stock", "the availability changes", func(i *inventoryv1alpha1.Item) { i.Spec.Quantity = new(int32) }, true, true},
		{"the generation", "readers wait for it", func(i *inventoryv1alpha1.Item) { i.Generation = 2 }, true, true},
		{"a field removed", "it is put back", func(i *inventoryv1alpha1.Item) { i.Status.LastUpdated = nil }, true, true},
		{"a condition removed", "it is put back", func(i *inventoryv1alpha1.Item) { i.Status.Conditions = i.Status.Conditions[:1] }, true, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			item := settled()
			c.change(item)
			next, changed := nextStatus(item, c.categoryExists, now)
			if changed != c.want {
				t.Errorf("%s: changed = %t, want %t; status %+v", c.why, changed, c.want, next)
			}
			if !next.LastUpdated.Equal(&now) {
				t.Errorf("lastUpdated of what would be written: got %v, want %v", next.LastUpdated, now)
			}
		})
	}
	if a, b := settled(), settled(); !reflect.DeepEqual(a.Status, b.Status) {
		t.Errorf("the same input gave different statuses: %+v, %+v", a.Status, b.Status)
	}
}
