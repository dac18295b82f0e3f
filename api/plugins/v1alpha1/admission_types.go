// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// FailurePolicy says what becomes of a request that the plugin cannot answer.
// +kubebuilder:validation:Enum=Fail;Ignore
type FailurePolicy string

const (
	// FailurePolicyFail refuses the request.
	FailurePolicyFail FailurePolicy = "Fail"
	// FailurePolicyIgnore goes on as if the plugin did not exist.
	FailurePolicyIgnore FailurePolicy = "Ignore"
)

// Admission says how requests to the API server are held up for the plugin.
type Admission struct {
	// failurePolicy says what becomes of a request that the plugin cannot answer: because it fails, takes
	// too long, is being loaded, or because the operator is not there. Fail refuses it, Ignore goes on as if
	// the plugin did not exist. Defaults to Fail.
	// +optional
	// +kubebuilder:default=Fail
	FailurePolicy FailurePolicy `json:"failurePolicy,omitempty"`

	// timeoutSeconds is how long a request waits for the plugin at most. Defaults to 5.
	// +optional
	// +kubebuilder:default=5
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=30
	TimeoutSeconds int32 `json:"timeoutSeconds,omitempty"`

	// objectSelector picks the objects by their labels; who can set labels can get around it. Absent means all.
	// +optional
	ObjectSelector *metav1.LabelSelector `json:"objectSelector,omitempty"`
}
