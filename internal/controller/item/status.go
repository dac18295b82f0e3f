// SPDX-License-Identifier: Apache-2.0

package item

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	"github.com/k1s-io/k1s/internal/embedded/status"
)

// nextStatus returns the status that the Item should have, as far as this controller owns it, and whether it differs
// from the current status.
func nextStatus(item *inventoryv1alpha1.Item, categoryExists bool, now metav1.Time) (inventoryv1alpha1.ItemStatus, bool) {
	resolved := categoryResolved(item, categoryExists)
	conditions, changed := status.Conditions(item.Status.Conditions, now, resolved,
		status.Summary(resolved, inventoryv1alpha1.ConditionReady, inventoryv1alpha1.ReasonReconciled))
	next := inventoryv1alpha1.ItemStatus{
		Conditions:         conditions,
		Availability:       availability(item.Spec),
		ObservedGeneration: item.Generation,
		LastUpdated:        &now,
	}
	changed = changed ||
		next.Availability != item.Status.Availability ||
		next.ObservedGeneration != item.Status.ObservedGeneration ||
		item.Status.LastUpdated == nil
	return next, changed
}

// availability returns the availability of an item. Discontinued has precedence over the rest, because the item will
// not be in stock again. Reserved requires that there is something to reserve.
func availability(spec inventoryv1alpha1.ItemSpec) inventoryv1alpha1.Availability {
	switch {
	case slices.Contains(spec.Tags, inventoryv1alpha1.TagDiscontinued):
		return inventoryv1alpha1.AvailabilityDiscontinued
	case spec.Quantity != nil && *spec.Quantity == 0: // absent means 1
		return inventoryv1alpha1.AvailabilityOutOfStock
	case slices.Contains(spec.Tags, inventoryv1alpha1.TagReserved):
		return inventoryv1alpha1.AvailabilityReserved
	default:
		return inventoryv1alpha1.AvailabilityAvailable
	}
}

// categoryResolved returns the condition CategoryResolved. An Item without a Category counts as resolved, because there
// is nothing to wait for.
func categoryResolved(item *inventoryv1alpha1.Item, categoryExists bool) metav1.Condition {
	condition := metav1.Condition{
		Type:               inventoryv1alpha1.ConditionCategoryResolved,
		Status:             metav1.ConditionTrue,
		ObservedGeneration: item.Generation,
	}
	switch {
	case item.Spec.Category == "":
		condition.Reason = inventoryv1alpha1.ReasonNoCategory
		condition.Message = "The item names no category"
	case categoryExists:
		condition.Reason = inventoryv1alpha1.ReasonCategoryFound
		condition.Message = fmt.Sprintf("Category %q exists", item.Spec.Category)
	default:
		condition.Status = metav1.ConditionFalse
		condition.Reason = inventoryv1alpha1.ReasonCategoryNotFound
		condition.Message = fmt.Sprintf("Category %q does not exist in namespace %q", item.Spec.Category, item.Namespace)
	}
	return condition
}
