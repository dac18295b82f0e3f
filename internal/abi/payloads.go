// SPDX-License-Identifier: Apache-2.0

package abi

import "encoding/json"

// ObjectKey identifies one object. Namespace is empty for cluster-scoped kinds.
type ObjectKey struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
}

// ListRequest is the request of k1s_client_list. An empty Namespace means all namespaces.
type ListRequest struct {
	APIVersion    string `json:"apiVersion"`
	Kind          string `json:"kind"`
	Namespace     string `json:"namespace,omitempty"`
	LabelSelector string `json:"labelSelector,omitempty"`
	FieldSelector string `json:"fieldSelector,omitempty"`
	// Limit is the maximum number of objects in one reply. 0 means no limit.
	Limit int64 `json:"limit,omitempty"`
	// Continue is metadata.continue of the previous reply.
	Continue string `json:"continue,omitempty"`
}

// WriteRequest is the request of k1s_client_create, _update and _update_status.
type WriteRequest struct {
	Object json.RawMessage `json:"object"`
}

// ApplyRequest is the request of k1s_client_apply (server-side apply).
type ApplyRequest struct {
	Object json.RawMessage `json:"object"`
	// Force takes ownership of fields from other field managers.
	Force bool `json:"force,omitempty"`
}

// PatchType is the format of a patch.
type PatchType string

// Patch types.
const (
	PatchMerge     PatchType = "merge"     // RFC 7386
	PatchJSON      PatchType = "json"      // RFC 6902
	PatchStrategic PatchType = "strategic" // built-in kinds only
	PatchApply     PatchType = "apply"     // server-side apply
)

// PatchRequest is the request of k1s_client_patch and _patch_status.
type PatchRequest struct {
	ObjectKey
	PatchType PatchType       `json:"patchType"`
	Patch     json.RawMessage `json:"patch"`
	// Force takes ownership of fields from other field managers. It is valid for PatchApply only.
	Force bool `json:"force,omitempty"`
}

// DeleteRequest is the request of k1s_client_delete.
type DeleteRequest struct {
	ObjectKey
	// PropagationPolicy is Background, Foreground or Orphan. If it is empty, the API server chooses.
	PropagationPolicy string `json:"propagationPolicy,omitempty"`
	// UID and ResourceVersion are preconditions. If they are set and do not match the object, the error is Conflict.
	UID             string `json:"uid,omitempty"`
	ResourceVersion string `json:"resourceVersion,omitempty"`
}

// EventRequest is the request of k1s_event: an Event about the given object.
type EventRequest struct {
	ObjectKey
	UID string `json:"uid,omitempty"`
	// Type is Normal or Warning.
	Type string `json:"type"`
	// Reason is a machine-readable CamelCase word of at most 128 characters.
	Reason string `json:"reason"`
	// Message is a human-readable message of at most 1024 bytes. Longer messages are truncated.
	Message string `json:"message"`
	// Action is the action that was taken, a CamelCase word. Empty means "Reconcile".
	Action string `json:"action,omitempty"`
}

// ReconcileRequest is the input of the reconcile export.
type ReconcileRequest struct {
	ObjectKey
	// Object is the object from the shared cache, or null if it does not exist.
	Object json.RawMessage `json:"object"`
	// Attempt is 1 for the first attempt, and increases with every consecutive failure.
	Attempt int `json:"attempt"`
}

// ReconcileResult is the result of the reconcile export. An empty reply means the zero value.
type ReconcileResult struct {
	// RequeueAfterMillis requeues the object after the given number of milliseconds. 0 means no requeue.
	RequeueAfterMillis int64 `json:"requeueAfterMillis,omitempty"`
}

// ReconcileBatch is the input of the reconcile_batch export.
type ReconcileBatch struct {
	Requests []ReconcileRequest `json:"requests"`
}

// ReconcileBatchReply is the reply of the reconcile_batch export: a result for each request, in the same order. An
// empty reply means a zero result for each request.
type ReconcileBatchReply struct {
	Results []ReconcileBatchResult `json:"results"`
}

// ReconcileBatchResult is the result of one request: a ReconcileResult or an error.
type ReconcileBatchResult struct {
	ReconcileResult
	// Error is a Status. If it is absent or null, the request succeeded.
	Error json.RawMessage `json:"error,omitempty"`
}

// Metadata is the metadata of a module, which the specification calls PluginMetadata.
type Metadata struct {
	Name         string          `json:"name"`
	Version      string          `json:"version"`
	Author       string          `json:"author,omitempty"`
	Description  string          `json:"description,omitempty"`
	Language     string          `json:"language,omitempty"`
	ForTypes     []TypeReference `json:"forTypes,omitempty"`
	Capabilities []string        `json:"capabilities,omitempty"`
	Runtime      MetadataRuntime `json:"runtime"`
	// Admission selects the admission requests that the module receives. If it is absent, the module receives all
	// admission requests for which it has an export.
	Admission *MetadataAdmission `json:"admission,omitempty"`
	// ConfigSchema is the JSON Schema of the settings. If it is absent, any settings are valid.
	ConfigSchema json.RawMessage `json:"configSchema,omitempty"`
}

// MetadataAdmission selects the admission requests that a module receives.
type MetadataAdmission struct {
	// Operations is a subset of CREATE, UPDATE and DELETE. If it is absent, it means all. It prevents requests of other
	// operations from waiting for a module whose SDK exports more functions than the author implemented.
	Operations []string `json:"operations,omitempty"`
}

// TypeReference identifies a kind.
type TypeReference struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
}

// MetadataRuntime contains what a module requires of the host.
type MetadataRuntime struct {
	// ABI is the version of the guest ABI. 0 means 1.
	ABI int32 `json:"abi,omitempty"`
	// MinMemoryPages is the minimum memory that the module needs, in pages of 64 KiB. 0 means the minimum in its memory
	// section.
	MinMemoryPages uint32 `json:"minMemoryPages,omitempty"`
	// Deterministic declares that the exports that validate and set defaults return equal replies for equal input.
	Deterministic bool `json:"deterministic,omitempty"`
	// Snapshot, if it is false, disables the creation of instances as copies of an initialized instance.
	Snapshot *bool `json:"snapshot,omitempty"`
	// MaxBatch is the maximum number of requests in one call of reconcile_batch. A value below 2 disables such calls.
	MaxBatch int32 `json:"maxBatch,omitempty"`
}
