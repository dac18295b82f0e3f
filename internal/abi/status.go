// SPDX-License-Identifier: Apache-2.0

package abi

// Status is an error on the wire: the members of Kubernetes' metav1.Status that the ABI uses.
type Status struct {
	APIVersion string         `json:"apiVersion,omitempty"` // v1
	Kind       string         `json:"kind,omitempty"`       // Status
	Status     string         `json:"status,omitempty"`     // Failure
	Message    string         `json:"message,omitempty"`
	Reason     string         `json:"reason,omitempty"`
	Code       int32          `json:"code,omitempty"`
	Details    *StatusDetails `json:"details,omitempty"`
}

// StatusDetails says what an error is about.
type StatusDetails struct {
	Name              string `json:"name,omitempty"`
	Group             string `json:"group,omitempty"`
	Kind              string `json:"kind,omitempty"`
	UID               string `json:"uid,omitempty"`
	RetryAfterSeconds int32  `json:"retryAfterSeconds,omitempty"`
}
