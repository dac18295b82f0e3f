// SPDX-License-Identifier: Apache-2.0

package status

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Conditions returns the wanted conditions with the time of their last transition: the time in current if the status is
// the same, otherwise now. changed reports whether any of them differs from current. Conditions of other types in
// current belong to other writers, and are ignored.
func Conditions(current []metav1.Condition, now metav1.Time, wanted ...metav1.Condition) (conditions []metav1.Condition, changed bool) {
	conditions = make([]metav1.Condition, 0, len(wanted))
	for _, condition := range wanted {
		condition.LastTransitionTime = now
		before := meta.FindStatusCondition(current, condition.Type)
		if before != nil && before.Status == condition.Status {
			condition.LastTransitionTime = before.LastTransitionTime
		}
		changed = changed || before == nil || *before != condition
		conditions = append(conditions, condition)
	}
	return conditions, changed
}

// Summary returns a condition of the type ready that summarizes the given condition: true with the reason ok if it is
// true, otherwise false with its reason and message.
func Summary(condition metav1.Condition, ready, ok string) metav1.Condition {
	summary := metav1.Condition{
		Type:               ready,
		Status:             metav1.ConditionTrue,
		Reason:             ok,
		ObservedGeneration: condition.ObservedGeneration,
	}
	if condition.Status != metav1.ConditionTrue {
		summary.Status, summary.Reason, summary.Message = metav1.ConditionFalse, condition.Reason, condition.Message
	}
	return summary
}
