// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// WasmPluginStatus is the observed state of a WasmPlugin.
type WasmPluginStatus struct {
	// conditions are Ready, Fetched, Verified, SettingsValid, Authorized, Compiled, Serving, Degraded, and
	// CleanedUp if the plugin has or had the capability finalization, and SignatureVerified if its artifact must be
	// signed. While the plugin is not Ready because it cannot
	// be loaded, there is also Stalled, which only a change of the plugin ends, or Reconciling, which the operator ends.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the metadata.generation that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// revision is the serving revision. Absent means that no revision serves.
	// +optional
	Revision *Revision `json:"revision,omitempty"`

	// artifact is what was pulled for spec.source.oci. Absent means another source, or that nothing was pulled yet.
	// +optional
	Artifact *ArtifactStatus `json:"artifact,omitempty"`

	// previousDigest is the digest, "sha256:" and 64 hex digits, of the previous revision. Absent means that there was
	// no previous revision.
	// +optional
	PreviousDigest string `json:"previousDigest,omitempty"`

	// lastError is the error of the last load. Absent means that the last load succeeded. Failed calls are reported as
	// Events of reason ReconcileFailed.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	LastError string `json:"lastError,omitempty"`

	// finalizedTypes are the kinds whose objects may have the plugin's finalizer. Absent means no kinds.
	// +optional
	// +listType=map
	// +listMapKey=apiVersion
	// +listMapKey=kind
	// +kubebuilder:validation:MaxItems=256
	FinalizedTypes []TypeReference `json:"finalizedTypes,omitempty"`
}

// ArtifactStatus is an artifact that was pulled from an OCI registry.
type ArtifactStatus struct {
	// digest is the digest, "sha256:" and 64 hex digits, of the manifest or index that the reference is resolved to.
	// +required
	Digest string `json:"digest,omitempty"`

	// format is the format of the artifact, as the operator detected it.
	// +optional
	Format string `json:"format,omitempty"`

	// pulledAt is the end of the last pull that downloaded something of the artifact. Reading it from the operator's
	// cache, as after a restart, is not a pull. Absent means that the cache had everything.
	// +optional
	PulledAt metav1.Time `json:"pulledAt,omitzero"`

	// pullMillis is the duration of that pull, without the time in the queue, in milliseconds.
	// +optional
	PullMillis int64 `json:"pullMillis,omitempty"`

	// pulledBytes are the bytes that it downloaded. Absent means that the operator's cache had everything.
	// +optional
	PulledBytes int64 `json:"pulledBytes,omitempty"`

	// signer is who has signed the artifact: the key, or the identity. Absent means that no signature is required.
	// +optional
	Signer string `json:"signer,omitempty"`

	// resolvedAt is the last time at which the registry gave the digest for the reference. A digest, and a tag that is
	// not polled, are resolved once.
	// +optional
	ResolvedAt metav1.Time `json:"resolvedAt,omitzero"`

	// lastPolledAt is the last time at which the operator polled the tag. If the registry did not give a digest then,
	// resolvedAt is earlier, and the condition Fetched has the error. Retries within the poll interval do not change it.
	// Absent means that the tag is not polled.
	// +optional
	LastPolledAt metav1.Time `json:"lastPolledAt,omitzero"`
}

// Revision is a module with its settings.
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

	// abi is the version of the guest ABI that the module implements.
	// +optional
	ABI int32 `json:"abi,omitempty"`

	// source is where the module was read from, such as "configmap/item-validator/plugin.wasm".
	// +optional
	Source string `json:"source,omitempty"`

	// types are the kinds that the plugin reconciles, as "Kind.group", joined by ",".
	// +optional
	Types string `json:"types,omitempty"`

	// loadedAt is the time at which this revision started to serve.
	// +optional
	LoadedAt metav1.Time `json:"loadedAt,omitzero"`

	// sizeBytes is the size of the uncompressed module in bytes.
	// +optional
	SizeBytes int64 `json:"sizeBytes,omitempty"`

	// fetchMillis is the duration of the fetch, in milliseconds.
	// +optional
	FetchMillis int64 `json:"fetchMillis"`

	// compileMillis is the duration of compiling, reading the metadata and creating the first instance, in
	// milliseconds.
	// +optional
	CompileMillis int64 `json:"compileMillis"`

	// cached reports whether the compiled code was cached when the first instance was created. To read the metadata
	// of a module that has no k1s.metadata section, the operator compiles it before.
	// +optional
	Cached bool `json:"cached"`
}
