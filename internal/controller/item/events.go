// SPDX-License-Identifier: Apache-2.0

package item

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
)

// recorder records Kubernetes Events.
type recorder interface {
	Eventf(regarding, related runtime.Object, eventtype, reason, action, note string, args ...any)
}

// announce records an Event when the Item's Category is missing, or is found again. It records no Event for an Item
// that is resolved from the start.
func announce(recorder recorder, item *inventoryv1alpha1.Item, next inventoryv1alpha1.ItemStatus) {
	before := meta.FindStatusCondition(item.Status.Conditions, inventoryv1alpha1.ConditionCategoryResolved)
	after := meta.FindStatusCondition(next.Conditions, inventoryv1alpha1.ConditionCategoryResolved)
	missing := after.Status == metav1.ConditionFalse
	wasMissing := before != nil && before.Status == metav1.ConditionFalse
	if missing == wasMissing {
		return
	}
	eventType := corev1.EventTypeNormal
	if missing {
		eventType = corev1.EventTypeWarning
	}
	recorder.Eventf(item, nil, eventType, after.Reason, "ResolveCategory", "%s", after.Message)
}
