// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// WasmPluginSpec is the desired state of a WasmPlugin: the module, its ServiceAccount, its kinds and its limits.
type WasmPluginSpec struct {
	// source is where the module is read from. Exactly one member must be set.
	// +required
	Source Source `json:"source,omitzero"`

	// sha256 pins the module: 64 lower-case hex digits of the SHA-256 of the uncompressed module.
	// Absent means that any module in the source is accepted.
	// +optional
	// +kubebuilder:validation:Pattern=`^[a-f0-9]{64}$`
	SHA256 string `json:"sha256,omitempty"`

	// serviceAccountName is the ServiceAccount in the plugin's namespace that the plugin acts as: the plugin has the
	// permissions of this ServiceAccount, and no others. Defaults to "default".
	// +optional
	// +kubebuilder:default=default
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	ServiceAccountName string `json:"serviceAccountName,omitempty"`

	// forTypes are the kinds that the plugin watches and answers admission requests for. Absent means the kinds that
	// the module's metadata declares. Each must be one of those.
	// +optional
	// +listType=map
	// +listMapKey=apiVersion
	// +listMapKey=kind
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	ForTypes []ForType `json:"forTypes,omitempty"`

	// owns are kinds of objects that the plugin creates with an owner reference to the object that it reconciles.
	// When such an object changes, its owner is reconciled. Absent means no kinds.
	// +optional
	// +listType=map
	// +listMapKey=apiVersion
	// +listMapKey=kind
	// +kubebuilder:validation:MaxItems=16
	Owns []TypeReference `json:"owns,omitempty"`

	// capabilities are the capabilities of the module that are used. Absent means those that the module's metadata
	// declares. Each must be declared there.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Capabilities []Capability `json:"capabilities,omitempty"`

	// settings are passed to the module when it is initialized, after they were validated against the JSON Schema in
	// the module's metadata. Absent means {}.
	// +optional
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	Settings *runtime.RawExtension `json:"settings,omitempty"`

	// settingsFrom are members of the settings whose values come from Secrets. They are passed to the module together
	// with settings. Their values never appear in the status, Events, logs or metrics. Absent means no such members.
	// +optional
	// +listType=map
	// +listMapKey=as
	// +kubebuilder:validation:MaxItems=16
	SettingsFrom []SettingSource `json:"settingsFrom,omitempty"`

	// security restricts the plugin further than RBAC restricts its ServiceAccount. Absent means the defaults of its
	// fields.
	// +optional
	Security Security `json:"security,omitzero"`

	// runtime limits memory, time and concurrency. Absent means the defaults of its fields.
	// +optional
	Runtime Runtime `json:"runtime,omitzero"`

	// admission configures the plugin's webhooks. Absent means the defaults of its fields. It is used with the
	// capabilities validation, defaulting and admission only.
	// +optional
	Admission Admission `json:"admission,omitzero"`

	// suspend stops the plugin: it receives no events and has no instances. When suspend is false again, every object
	// is reconciled. Defaults to false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// TypeReference names a kind.
type TypeReference struct {
	// apiVersion is the group and version, such as "inventory.example.com/v1alpha1" or "v1".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	// +kubebuilder:validation:Pattern=`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?v[a-z0-9]+$`
	APIVersion string `json:"apiVersion,omitempty"`

	// kind is the kind, such as "Item".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Z][A-Za-z0-9]*$`
	Kind string `json:"kind,omitempty"`
}

// ForType is a kind, with a selector of the objects that are reconciled and finalized.
type ForType struct {
	TypeReference `json:",inline"`

	// labelSelector selects the objects by their labels. Absent means all objects.
	// +optional
	LabelSelector *metav1.LabelSelector `json:"labelSelector,omitempty"`
}

// Capability is a feature that a module implements.
// +kubebuilder:validation:Enum=reconcile;validation;defaulting;status_update;finalization;admission
type Capability string

const (
	// CapabilityReconcile calls the module's "reconcile" export for every change of an object.
	CapabilityReconcile Capability = "reconcile"
	// CapabilityValidation calls "validate_create", "validate_update" and "validate_delete" before the API server
	// stores a change; an error denies the request.
	CapabilityValidation Capability = "validation"
	// CapabilityDefaulting calls "set_defaults" before the API server stores a new or changed object.
	CapabilityDefaulting Capability = "defaulting"
	// CapabilityStatusUpdate allows the module to apply the status subresource.
	CapabilityStatusUpdate Capability = "status_update"
	// CapabilityFinalization blocks the deletion of an object until "finalize" has succeeded for it.
	CapabilityFinalization Capability = "finalization"
	// CapabilityAdmission calls "admit" before the API server stores a change, with the user who makes the request;
	// an error denies the request.
	CapabilityAdmission Capability = "admission"
)

// WasmPlugin is a controller delivered as a WebAssembly module.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=wp,categories=k1s
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.status.revision.version`
// +kubebuilder:printcolumn:name="Digest",type=string,JSONPath=`.status.revision.shortDigest`
// +kubebuilder:printcolumn:name="Language",type=string,JSONPath=`.status.revision.language`
// +kubebuilder:printcolumn:name="Source",type=string,JSONPath=`.status.revision.source`,priority=1
// +kubebuilder:printcolumn:name="Types",type=string,JSONPath=`.status.revision.types`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 60",message="metadata.name must have at most 60 characters: with the namespace it makes the plugin's field manager, which may have 128"
type WasmPlugin struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the desired state.
	// +required
	Spec WasmPluginSpec `json:"spec,omitzero"`

	// status is the observed state. Its observedGeneration is -1 until the operator has observed the WasmPlugin.
	// +optional
	// +kubebuilder:default:={"observedGeneration":-1}
	Status WasmPluginStatus `json:"status,omitzero"`
}

// WasmPluginList is a list of WasmPlugins.
//
// +kubebuilder:object:root=true
type WasmPluginList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []WasmPlugin `json:"items"`
}
