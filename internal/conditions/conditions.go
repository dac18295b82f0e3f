// SPDX-License-Identifier: Apache-2.0

// Package conditions collects the conditions of an object during a reconcile, and writes them with one patch at its
// end, if something has changed.
package conditions

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k1s-io/k1s/internal/text"
)

// maxMessage limits a message, in bytes; the API's own limit is 32768.
const maxMessage = 2048

// Set sets one object's conditions.
type Set struct {
	conditions *[]metav1.Condition
	generation int64
}

// For returns the Set of an object at a generation.
func For(conditions *[]metav1.Condition, generation int64) *Set {
	return &Set{conditions: conditions, generation: generation}
}

// True sets a condition true.
func (s *Set) True(conditionType, reason, message string) {
	s.set(conditionType, metav1.ConditionTrue, reason, message)
}

// False sets a condition false.
func (s *Set) False(conditionType, reason, message string) {
	s.set(conditionType, metav1.ConditionFalse, reason, message)
}

// Unknown sets a condition unknown.
func (s *Set) Unknown(conditionType, reason, message string) {
	s.set(conditionType, metav1.ConditionUnknown, reason, message)
}

// Remove removes a condition, such as one that only exists while it is true.
func (s *Set) Remove(conditionType string) { meta.RemoveStatusCondition(s.conditions, conditionType) }

func (s *Set) set(conditionType string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(s.conditions, metav1.Condition{
		Type: conditionType, Status: status, Reason: reason, Message: Truncate(message), ObservedGeneration: s.generation,
	})
}

// Truncate shortens a message to the length that a condition can have.
func Truncate(message string) string {
	return text.Truncate(message, maxMessage)
}

// Change is a condition whose status or reason has changed.
type Change struct {
	metav1.Condition
	// Was is the previous status; empty if there was no such condition.
	Was metav1.ConditionStatus
}

// Changes returns what changed between two states, in the order of the second one.
func Changes(before, after []metav1.Condition) []Change {
	var changes []Change
	for _, c := range after {
		old := meta.FindStatusCondition(before, c.Type)
		switch {
		case old == nil:
			changes = append(changes, Change{Condition: c})
		case old.Status != c.Status || old.Reason != c.Reason:
			changes = append(changes, Change{Condition: c, Was: old.Status})
		}
	}
	return changes
}

// Patch patches the status of an object if it has changed. It returns nil if the object does not exist any more.
func Patch(ctx context.Context, c client.StatusClient, before, after client.Object, fieldOwner string) error {
	if equality.Semantic.DeepEqual(before, after) {
		return nil
	}
	err := c.Status().Patch(ctx, after, client.MergeFrom(before), client.FieldOwner(fieldOwner))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("patch status: %w", err)
	}
	return nil
}
