// SPDX-License-Identifier: Apache-2.0

package category

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
)

// longestNote is the API server's limit for an Event's note, in bytes.
const longestNote = 1024

// recorder records Kubernetes Events.
type recorder interface {
	Eventf(regarding, related runtime.Object, eventtype, reason, action, note string, args ...any)
}

// announce records an Event when the Category's hierarchy becomes invalid, becomes invalid for another reason, or
// becomes valid again. It records no Event for a Category that is valid from the start.
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
