// SPDX-License-Identifier: Apache-2.0

package abi

import "encoding/json"

// ObjectKey names one object. Namespace is empty for cluster-scoped kinds.
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
	// Limit is the most objects one reply holds; 0 is no limit.
	Limit int64 `json:"limit,omitempty"`
	// Continue is metadata.continue of the reply before.
	Continue string `json:"continue,omitempty"`
}

// WriteRequest is the request of k1s_client_create, _update and _update_status.
type WriteRequest struct {
	Object json.RawMessage `json:"object"`
}

// ApplyRequest is the request of k1s_client_apply (server-side apply).
type ApplyRequest struct {
	Object json.RawMessage `json:"object"`
	// Force takes fields over from other field managers.
	Force bool `json:"force,omitempty"`
}

// PatchType is how a patch is written.
type PatchType string

// The patch types.
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
	// Force takes fields over from other field managers; only for PatchApply.
	Force bool `json:"force,omitempty"`
}

// DeleteRequest is the request of k1s_client_delete.
type DeleteRequest struct {
	ObjectKey
	// PropagationPolicy is Background, Foreground or Orphan; empty leaves it to the API server.
	PropagationPolicy string `json:"propagationPolicy,omitempty"`
	// UID and ResourceVersion, when set, must be the object's, or the answer is Conflict.
	UID             string `json:"uid,omitempty"`
	ResourceVersion string `json:"resourceVersion,omitempty"`
}

// EventRequest is the request of k1s_event: an Event about the object it names.
type EventRequest struct {
	ObjectKey
	UID string `json:"uid,omitempty"`
	// Type is Normal or Warning.
	Type string `json:"type"`
	// Reason is a CamelCase word for machines, at most 128 characters.
	Reason string `json:"reason"`
	// Message is for people, at most 1024 bytes; the rest is cut off.
	Message string `json:"message"`
	// Action is what was done, a CamelCase word; empty means "Reconcile".
	Action string `json:"action,omitempty"`
}

// ReconcileRequest is the input of the reconcile export.
type ReconcileRequest struct {
	ObjectKey
	// Object is the object as the shared cache has it, or null when it is gone.
	Object json.RawMessage `json:"object"`
	// Attempt is 1 for the first try and counts up with every failure in a row.
	Attempt int `json:"attempt"`
}

// ReconcileResult is the result of the reconcile export; the empty reply means its zero value.
type ReconcileResult struct {
	// RequeueAfterMillis asks for another call after so many milliseconds; 0 asks for none.
	RequeueAfterMillis int64 `json:"requeueAfterMillis,omitempty"`
}

// ReconcileBatch is the input of the reconcile_batch export.
type ReconcileBatch struct {
	Requests []ReconcileRequest `json:"requests"`
}

// ReconcileBatchReply is the reply of the reconcile_batch export: a result for each request, in their
// order. The empty reply stands for as many zero results.
type ReconcileBatchReply struct {
	Results []ReconcileBatchResult `json:"results"`
}

// ReconcileBatchResult is what became of one request: a ReconcileResult, or an error.
type ReconcileBatchResult struct {
	ReconcileResult
	// Error is a Status; absent or null means success.
	Error json.RawMessage `json:"error,omitempty"`
}

// Metadata is what a module says of itself: PluginMetadata in the specification.
type Metadata struct {
	Name         string          `json:"name"`
	Version      string          `json:"version"`
	Author       string          `json:"author,omitempty"`
	Description  string          `json:"description,omitempty"`
	Language     string          `json:"language,omitempty"`
	ForTypes     []TypeReference `json:"forTypes,omitempty"`
	Capabilities []string        `json:"capabilities,omitempty"`
	Runtime      MetadataRuntime `json:"runtime"`
	// Admission says which requests to the API server the module is asked about; absent means all that it can be.
	Admission *MetadataAdmission `json:"admission,omitempty"`
	// ConfigSchema is the JSON Schema of the settings; absent means that any settings are taken.
	ConfigSchema json.RawMessage `json:"configSchema,omitempty"`
}

// MetadataAdmission says which requests to the API server a module is asked about.
type MetadataAdmission struct {
	// Operations are some of CREATE, UPDATE and DELETE; absent means all. Requests of the others need not wait
	// for a module whose SDK exports more than its author wrote.
	Operations []string `json:"operations,omitempty"`
}

// TypeReference names a kind.
type TypeReference struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
}

// MetadataRuntime is what a module needs of the host.
type MetadataRuntime struct {
	// ABI is the version of the guest ABI; 0 means 1.
	ABI int32 `json:"abi,omitempty"`
	// MinMemoryPages is the memory the module needs to work, in pages of 64 KiB; 0 means what its
	// memory section says.
	MinMemoryPages uint32 `json:"minMemoryPages,omitempty"`
	// Deterministic promises that what validates and defaults answers equal input equally.
	Deterministic bool `json:"deterministic,omitempty"`
	// Snapshot set to false declines that instances begin as copies of an initialized one.
	Snapshot *bool `json:"snapshot,omitempty"`
	// MaxBatch is how many requests one call of reconcile_batch takes; below 2 there are no such calls.
	MaxBatch int32 `json:"maxBatch,omitempty"`
}
