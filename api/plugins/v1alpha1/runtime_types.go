// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// InstancePolicy selects the instance of the module that serves a call.
//
// +kubebuilder:validation:Enum=Pooled;PerCall
type InstancePolicy string

const (
	// InstancePolicyPooled reuses instances: a call may find what an earlier call left in memory.
	InstancePolicyPooled InstancePolicy = "Pooled"
	// InstancePolicyPerCall serves each call with an instance in the state after initialization: it has no data of
	// another call.
	InstancePolicyPerCall InstancePolicy = "PerCall"
)

// Runtime limits memory, time and concurrency. A page is 64 KiB, as in WebAssembly.
//
// +kubebuilder:validation:XValidation:rule="!has(self.memoryPages) || self.memoryPages <= (has(self.maxMemoryPages) ? self.maxMemoryPages : 1024)",message="memoryPages must not be above maxMemoryPages"
type Runtime struct {
	// memoryPages is the size to which an instance's memory is grown before its first call, in pages of 64 KiB.
	// Absent means the minimum that the module declares.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65536
	MemoryPages int32 `json:"memoryPages,omitempty"`

	// maxMemoryPages is the maximum size of an instance's memory, in pages of 64 KiB: memory.grow beyond it fails.
	// Defaults to 1024, which is 64 MiB.
	// +optional
	// +kubebuilder:default=1024
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65536
	MaxMemoryPages int32 `json:"maxMemoryPages,omitempty"`

	// timeoutSeconds is the maximum duration of a call, in seconds. Defaults to 5.
	// +optional
	// +kubebuilder:default=5
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=300
	TimeoutSeconds int32 `json:"timeoutSeconds,omitempty"`

	// fuel is the maximum number of WebAssembly instructions of a call, initialization excluded. Absent means that
	// only timeoutSeconds limits it. The metric k1s_plugin_fuel_instructions_total counts the instructions of calls.
	// +optional
	// +kubebuilder:validation:Minimum=1000
	// +kubebuilder:validation:Maximum=1000000000000000
	Fuel int64 `json:"fuel,omitempty"`

	// instancePolicy is Pooled, which reuses instances, or PerCall, with which each call starts in the state after
	// initialization: no state survives a call, which takes some microseconds more. Defaults to Pooled.
	// +optional
	// +kubebuilder:default=Pooled
	InstancePolicy InstancePolicy `json:"instancePolicy,omitempty"`

	// maxInstances is the maximum number of instances of the module, and so of concurrent calls. Defaults to 4.
	// +optional
	// +kubebuilder:default=4
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=64
	MaxInstances int32 `json:"maxInstances,omitempty"`

	// idleSeconds is how long an unused instance is kept, in seconds; with 0 it is closed after each call.
	// Defaults to 60.
	// +optional
	// +kubebuilder:default=60
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=86400
	IdleSeconds *int32 `json:"idleSeconds,omitempty"`
}
