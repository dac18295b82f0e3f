// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// InstancePolicy says which instance of its module a call gets.
//
// +kubebuilder:validation:Enum=Pooled;PerCall
type InstancePolicy string

const (
	// InstancePolicyPooled hands an instance from call to call: what a call leaves in its memory, the next
	// one may find.
	InstancePolicyPooled InstancePolicy = "Pooled"
	// InstancePolicyPerCall gives each call an instance in the state that initialization left: nothing of
	// another call is there.
	InstancePolicyPerCall InstancePolicy = "PerCall"
)

// Runtime bounds memory, time and parallelism. A page is 64 KiB, as in WebAssembly.
//
// +kubebuilder:validation:XValidation:rule="!has(self.memoryPages) || self.memoryPages <= (has(self.maxMemoryPages) ? self.maxMemoryPages : 1024)",message="memoryPages must not be above maxMemoryPages"
type Runtime struct {
	// memoryPages is what an instance's memory is grown to before its first call, in pages of
	// 64 KiB. Absent means what the module itself asks for.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65536
	MemoryPages int32 `json:"memoryPages,omitempty"`

	// maxMemoryPages is what an instance's memory may grow to, in pages of 64 KiB; growing beyond is
	// refused to the guest. Defaults to 1024, which is 64 MiB.
	// +optional
	// +kubebuilder:default=1024
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65536
	MaxMemoryPages int32 `json:"maxMemoryPages,omitempty"`

	// timeoutSeconds is how long one call may take, in seconds of wall clock. Defaults to 5.
	// +optional
	// +kubebuilder:default=5
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=300
	TimeoutSeconds int32 `json:"timeoutSeconds,omitempty"`

	// fuel is how many WebAssembly instructions one call may run, initialization aside. Absent means that
	// timeoutSeconds alone bounds it. What a call uses is the metric k1s_plugin_fuel_instructions_total.
	// +optional
	// +kubebuilder:validation:Minimum=1000
	// +kubebuilder:validation:Maximum=1000000000000000
	Fuel int64 `json:"fuel,omitempty"`

	// instancePolicy is Pooled, where instances go from call to call, or PerCall, where each call begins
	// as if the module had just been initialized: no state survives, for some microseconds more.
	// Defaults to Pooled.
	// +optional
	// +kubebuilder:default=Pooled
	InstancePolicy InstancePolicy `json:"instancePolicy,omitempty"`

	// maxInstances is how many instances of the module may exist, which is how many calls may run at
	// once. Defaults to 4.
	// +optional
	// +kubebuilder:default=4
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=64
	MaxInstances int32 `json:"maxInstances,omitempty"`

	// idleSeconds is how long an unused instance is kept, in seconds; 0 releases it after each call.
	// Defaults to 60.
	// +optional
	// +kubebuilder:default=60
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=86400
	IdleSeconds *int32 `json:"idleSeconds,omitempty"`
}
