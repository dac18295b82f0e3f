// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// WasmPluginStatus is what became of a WasmPlugin.
type WasmPluginStatus struct {
	// conditions are Ready, Fetched, Verified, SettingsValid, Authorized, Compiled, Serving, Degraded, and
	// CleanedUp for a plugin that has finalized objects.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the metadata.generation that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// revision is the revision that serves. Absent means that none does.
	// +optional
	Revision *Revision `json:"revision,omitempty"`

	// previousDigest is the digest, "sha256:" and 64 hex digits, of the revision that served before.
	// Absent means that there was none.
	// +optional
	PreviousDigest string `json:"previousDigest,omitempty"`

	// lastError is what went wrong when the plugin was last loaded. Absent means that nothing did.
	// Failed calls are told in Events of reason ReconcileFailed.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	LastError string `json:"lastError,omitempty"`

	// finalizedTypes are the kinds whose objects may carry the plugin's finalizer. Absent means that none does.
	// +optional
	// +listType=map
	// +listMapKey=apiVersion
	// +listMapKey=kind
	// +kubebuilder:validation:MaxItems=256
	FinalizedTypes []TypeReference `json:"finalizedTypes,omitempty"`
}

// Revision is a module together with its settings, as it serves.
type Revision struct {
	// digest is "sha256:" and 64 hex digits, of the uncompressed module.
	// +required
	Digest string `json:"digest,omitempty"`

	// shortDigest is the first 12 hex digits of digest, for kubectl get.
	// +optional
	ShortDigest string `json:"shortDigest,omitempty"`

	// version is the version in the module's metadata.
	// +optional
	Version string `json:"version,omitempty"`

	// language is the language in the module's metadata, such as "go" or "rust".
	// +optional
	Language string `json:"language,omitempty"`

	// abi is the version of the guest ABI that the module speaks.
	// +optional
	ABI int32 `json:"abi,omitempty"`

	// source says where the module came from, such as "configmap/item-validator/plugin.wasm".
	// +optional
	Source string `json:"source,omitempty"`

	// types are the kinds that are reconciled, as "Kind.group", joined by ",".
	// +optional
	Types string `json:"types,omitempty"`

	// loadedAt is when this revision began to serve.
	// +optional
	LoadedAt metav1.Time `json:"loadedAt,omitzero"`

	// sizeBytes is the size of the uncompressed module in bytes.
	// +optional
	SizeBytes int64 `json:"sizeBytes,omitempty"`

	// fetchMillis is how long fetching took, in milliseconds.
	// +optional
	FetchMillis int64 `json:"fetchMillis"`

	// compileMillis is how long compiling, reading the metadata and the first instance took, in milliseconds.
	// +optional
	CompileMillis int64 `json:"compileMillis"`

	// cached reports whether the compiled code was there when the first instance was made; a module whose
	// metadata is read by running it is compiled for that before.
	// +optional
	Cached bool `json:"cached"`
}
