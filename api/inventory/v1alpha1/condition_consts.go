// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Condition types of Item and Category.
const (
	// ConditionReady sums up the other conditions of the object.
	ConditionReady = "Ready"
	// ConditionCategoryResolved on an Item reports whether spec.category names an existing Category.
	ConditionCategoryResolved = "CategoryResolved"
	// ConditionHierarchyValid on a Category reports whether its ancestors exist and form no cycle.
	ConditionHierarchyValid = "HierarchyValid"
)

// Reasons of the conditions above.
const (
	// ReasonReconciled is the reason of a true Ready condition.
	ReasonReconciled = "Reconciled"
	// ReasonCategoryFound means that the Category exists.
	ReasonCategoryFound = "CategoryFound"
	// ReasonCategoryNotFound means that no Category of that name exists in the Item's namespace.
	ReasonCategoryNotFound = "CategoryNotFound"
	// ReasonNoCategory means that the Item names no Category, which is allowed.
	ReasonNoCategory = "NoCategory"
	// ReasonRoot means that the Category has no parent.
	ReasonRoot = "Root"
	// ReasonParentFound means that every ancestor exists.
	ReasonParentFound = "ParentFound"
	// ReasonParentNotFound means that the Category's parent, or an ancestor further up, does not exist.
	ReasonParentNotFound = "ParentNotFound"
	// ReasonCycle means that following the parents leads back to a Category already passed.
	ReasonCycle = "Cycle"
)
