// SPDX-License-Identifier: Apache-2.0

package category

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
)

// longestNote is how long the API server lets an Event's note be, in bytes.
const longestNote = 1024

// recorder records Kubernetes Events.
type recorder interface {
	Eventf(regarding, related runtime.Object, eventtype, reason, action, note string, args ...any)
}

// announce records an Event when the Category's hierarchy has broken, has broken in another way, or is
// whole again. That a category is well from the start is not worth one.
func announce(recorder recorder, category *inventoryv1alpha1.Category, next inventoryv1alpha1.CategoryStatus) {
	before := meta.FindStatusCondition(category.Status.Conditions, inventoryv1alpha1.ConditionHierarchyValid)
	after := meta.FindStatusCondition(next.Conditions, inventoryv1alpha1.ConditionHierarchyValid)
	wasBroken := before != nil && before.Status == metav1.ConditionFalse
	isBroken := after.Status == metav1.ConditionFalse
	if !isBroken && !wasBroken || isBroken && wasBroken && before.Reason == after.Reason {
		return
	}
	eventType := corev1.EventTypeNormal
	if isBroken {
		eventType = corev1.EventTypeWarning
	}
	note := after.Message[:min(len(after.Message), longestNote)]
	recorder.Eventf(category, nil, eventType, after.Reason, "CheckHierarchy", "%s", note)
}
