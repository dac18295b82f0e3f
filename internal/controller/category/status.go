// SPDX-License-Identifier: Apache-2.0

package category

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	"github.com/k1s-io/k1s/internal/embedded/status"
)

// nextStatus returns the status that the Category should have, as far as this controller owns it, and whether it
// differs from the current status. Depth and path stay empty here: applying them would take their ownership from the
// plugin that writes them.
func nextStatus(category *inventoryv1alpha1.Category, counts counts, verdict verdict, now metav1.Time) (inventoryv1alpha1.CategoryStatus, bool) {
	valid := verdict.condition(category.Generation)
	conditions, changed := status.Conditions(category.Status.Conditions, now, valid,
		status.Summary(valid, inventoryv1alpha1.ConditionReady, inventoryv1alpha1.ReasonReconciled))
	next := inventoryv1alpha1.CategoryStatus{
		Conditions:         conditions,
		ItemCount:          &counts.items,
		SubcategoryCount:   &counts.subcategories,
		ObservedGeneration: category.Generation,
		LastUpdated:        &now,
	}
	changed = changed ||
		!same(category.Status.ItemCount, counts.items) ||
		!same(category.Status.SubcategoryCount, counts.subcategories) ||
		next.ObservedGeneration != category.Status.ObservedGeneration ||
		category.Status.LastUpdated == nil
	return next, changed
}

// same reports whether a number is set and equal to the wanted one.
func same(have *int32, want int32) bool { return have != nil && *have == want }
