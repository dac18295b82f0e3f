// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CategorySpec is the desired state of a Category.
type CategorySpec struct {
	// name is the name of the category for people, 1 to 50 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=50
	Name string `json:"name,omitempty"`

	// description is free text, at most 200 characters. Absent means no description.
	// +optional
	// +kubebuilder:validation:MaxLength=200
	Description string `json:"description,omitempty"`

	// parent is the name of another Category (metadata.name) in the same namespace.
	// Absent or empty means that this category is a root.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Parent string `json:"parent,omitempty"`

	// tags are labels for people, at most 20, without duplicates.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	Tags []string `json:"tags,omitempty"`
}

// CategoryStatus is the observed state of a Category. The Category controller writes the conditions Ready
// and HierarchyValid and both counts; depth and path belong to a plugin such as category-hierarchy
// and stay absent where none runs.
type CategoryStatus struct {
	// conditions are Ready and HierarchyValid; a plugin may add its own types.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// itemCount is the number of Items whose spec.category names this category.
	// Absent until the first reconcile.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ItemCount *int32 `json:"itemCount,omitempty"`

	// subcategoryCount is the number of Categories whose spec.parent names this category.
	// Absent until the first reconcile.
	// +optional
	// +kubebuilder:validation:Minimum=0
	SubcategoryCount *int32 `json:"subcategoryCount,omitempty"`

	// depth is the number of ancestors: 0 for a root.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Depth *int32 `json:"depth,omitempty"`

	// path is the names (metadata.name) from the root to this category, joined by "/".
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Path string `json:"path,omitempty"`

	// observedGeneration is the metadata.generation that the Category controller last saw.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// lastUpdated is when the Category controller last changed this status.
	// +optional
	LastUpdated *metav1.Time `json:"lastUpdated,omitempty"`
}

// Category groups Items and other Categories.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=categories,shortName=cat,categories=inventory
// +kubebuilder:printcolumn:name="Category",type=string,JSONPath=`.spec.name`
// +kubebuilder:printcolumn:name="Parent",type=string,JSONPath=`.spec.parent`
// +kubebuilder:printcolumn:name="Items",type=integer,JSONPath=`.status.itemCount`
// +kubebuilder:printcolumn:name="Subcategories",type=integer,JSONPath=`.status.subcategoryCount`
// +kubebuilder:printcolumn:name="Path",type=string,JSONPath=`.status.path`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,priority=1
// +kubebuilder:printcolumn:name="Depth",type=integer,JSONPath=`.status.depth`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="!has(self.spec.parent) || size(self.spec.parent) == 0 || self.spec.parent != self.metadata.name",message="spec.parent must name another category: a category cannot be its own parent"
type Category struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the desired state.
	// +required
	Spec CategorySpec `json:"spec,omitzero"`

	// status is the observed state.
	// +optional
	Status CategoryStatus `json:"status,omitzero"`
}

// CategoryList is a list of Categories.
//
// +kubebuilder:object:root=true
type CategoryList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Category `json:"items"`
}
