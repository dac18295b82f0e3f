// SPDX-License-Identifier: Apache-2.0

package category

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
)

// longestPath is how many names of a path a message shows; the middle of a longer path is left out. Names have up to
// 253 characters and an Event's note up to 1024.
const longestPath = 12

// parentOf returns the parent of the Category with the given name ("" for a root), and whether the Category exists.
type parentOf func(name string) (parent string, exists bool, err error)

// verdict is the result of following a Category's parents.
type verdict struct {
	// reason is one of the reasons of the condition HierarchyValid.
	reason string
	// path is the names on the way, from the Category itself. It ends at a root, at a name that does not exist, or at a
	// name that is in the path already.
	path []string
}

// evaluate follows the parents of a Category up to a root, a Category that does not exist, or a cycle.
func evaluate(name, parent string, lookup parentOf) (verdict, error) {
	path := []string{name}
	if parent == "" {
		return verdict{reason: inventoryv1alpha1.ReasonRoot, path: path}, nil
	}
	passed := map[string]bool{name: true}
	for parent != "" {
		path = append(path, parent)
		if passed[parent] {
			return verdict{reason: inventoryv1alpha1.ReasonCycle, path: path}, nil
		}
		passed[parent] = true
		next, exists, err := lookup(parent)
		if err != nil {
			return verdict{}, err
		}
		if !exists {
			return verdict{reason: inventoryv1alpha1.ReasonParentNotFound, path: path}, nil
		}
		parent = next
	}
	return verdict{reason: inventoryv1alpha1.ReasonParentFound, path: path}, nil
}

// condition returns the condition HierarchyValid.
func (v verdict) condition(generation int64) metav1.Condition {
	condition := metav1.Condition{
		Type:               inventoryv1alpha1.ConditionHierarchyValid,
		Status:             metav1.ConditionFalse,
		Reason:             v.reason,
		Message:            v.message(),
		ObservedGeneration: generation,
	}
	if v.reason == inventoryv1alpha1.ReasonRoot || v.reason == inventoryv1alpha1.ReasonParentFound {
		condition.Status = metav1.ConditionTrue
	}
	return condition
}

// message explains the verdict. It is the same for the same hierarchy, so that the condition does not change.
func (v verdict) message() string {
	first, last := v.path[0], v.path[len(v.path)-1]
	switch v.reason {
	case inventoryv1alpha1.ReasonRoot:
		return "The category has no parent"
	case inventoryv1alpha1.ReasonParentFound:
		return "Every ancestor exists"
	case inventoryv1alpha1.ReasonParentNotFound:
		if len(v.path) == 2 {
			return fmt.Sprintf("Parent %q does not exist", last)
		}
		return fmt.Sprintf("Ancestor %q does not exist: %s", last, show(v.path))
	default:
		if first == last {
			return "The category is its own ancestor: " + show(v.path)
		}
		return "The ancestors form a cycle: " + show(v.path)
	}
}

// show formats a path for a message, from the Category upwards.
func show(path []string) string {
	if len(path) > longestPath {
		const half = longestPath / 2
		gap := fmt.Sprintf("... (%d more) ...", len(path)-2*half)
		path = slices.Concat(path[:half], []string{gap}, path[len(path)-half:])
	}
	return strings.Join(path, " -> ")
}
