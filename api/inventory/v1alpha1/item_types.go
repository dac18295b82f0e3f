// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ItemSpec is the desired state of an Item.
type ItemSpec struct {
	// name is the name of the item for people, 1 to 100 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=100
	Name string `json:"name,omitempty"`

	// description is free text, at most 500 characters. Absent means no description.
	// +optional
	// +kubebuilder:validation:MaxLength=500
	Description string `json:"description,omitempty"`

	// quantity is the number of pieces in stock, 0 to 10000. Defaults to 1.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	Quantity *int32 `json:"quantity,omitempty"`

	// price is the price of one piece in cents, more than 0. Absent means the item has no price.
	// +optional
	// +kubebuilder:validation:Minimum=1
	Price *int64 `json:"price,omitempty"`

	// category is the name of a Category (metadata.name) in the same namespace.
	// Absent or empty means the item belongs to no category.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Category string `json:"category,omitempty"`

	// tags are labels for people, at most 20, without duplicates. Two of them change
	// status.availability: "reserved" and "discontinued".
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	Tags []string `json:"tags,omitempty"`
}

// Availability is the availability of an Item.
// +kubebuilder:validation:Enum=Available;OutOfStock;Reserved;Discontinued
type Availability string

const (
	// AvailabilityAvailable means that there are pieces in stock.
	AvailabilityAvailable Availability = "Available"
	// AvailabilityOutOfStock means that spec.quantity is 0.
	AvailabilityOutOfStock Availability = "OutOfStock"
	// AvailabilityReserved means that there are pieces, and the item is tagged "reserved".
	AvailabilityReserved Availability = "Reserved"
	// AvailabilityDiscontinued means that the item is tagged "discontinued", whatever its quantity.
	AvailabilityDiscontinued Availability = "Discontinued"
)

const (
	// TagReserved on an Item makes it Reserved while it is in stock.
	TagReserved = "reserved"
	// TagDiscontinued on an Item makes it Discontinued.
	TagDiscontinued = "discontinued"
)

// ItemStatus is the observed state of an Item.
type ItemStatus struct {
	// conditions are Ready and CategoryResolved.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// availability follows from spec.quantity and spec.tags. Absent until the first reconcile.
	// +optional
	Availability Availability `json:"availability,omitempty"`

	// observedGeneration is the metadata.generation that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// lastUpdated is when this status last changed.
	// +optional
	LastUpdated *metav1.Time `json:"lastUpdated,omitempty"`
}

// Item is an item in stock.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=itm,categories=inventory
// +kubebuilder:printcolumn:name="Item",type=string,JSONPath=`.spec.name`
// +kubebuilder:printcolumn:name="Category",type=string,JSONPath=`.spec.category`
// +kubebuilder:printcolumn:name="Quantity",type=integer,JSONPath=`.spec.quantity`
// +kubebuilder:printcolumn:name="Availability",type=string,JSONPath=`.status.availability`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,priority=1
// +kubebuilder:printcolumn:name="Price",type=integer,JSONPath=`.spec.price`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Item struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the desired state.
	// +required
	Spec ItemSpec `json:"spec,omitzero"`

	// status is the observed state, written by the Item controller.
	// +optional
	Status ItemStatus `json:"status,omitzero"`
}

// ItemList is a list of Items.
//
// +kubebuilder:object:root=true
type ItemList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Item `json:"items"`
}
