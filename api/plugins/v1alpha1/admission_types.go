// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// FailurePolicy is the result of an admission request that the plugin cannot answer.
// +kubebuilder:validation:Enum=Fail;Ignore
type FailurePolicy string

const (
	// FailurePolicyFail denies the request.
	FailurePolicyFail FailurePolicy = "Fail"
	// FailurePolicyIgnore allows the request as if the plugin did not exist.
	FailurePolicyIgnore FailurePolicy = "Ignore"
)

// Admission configures the plugin's webhooks.
type Admission struct {
	// failurePolicy is the result of an admission request that the plugin cannot answer, because it fails, times out or
	// is being loaded, or because the operator is unavailable. Fail denies the request, Ignore allows it as if the
	// plugin did not exist. Defaults to Fail.
	// +optional
	// +kubebuilder:default=Fail
	FailurePolicy FailurePolicy `json:"failurePolicy,omitempty"`

	// timeoutSeconds is the maximum time that a request waits for the plugin, in seconds. Defaults to 5.
	// +optional
	// +kubebuilder:default=5
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=30
	TimeoutSeconds int32 `json:"timeoutSeconds,omitempty"`

	// objectSelector selects the objects by their labels. Users who can set labels can bypass it. Absent means all
	// objects.
	// +optional
	ObjectSelector *metav1.LabelSelector `json:"objectSelector,omitempty"`
}
