// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"encoding/json"
	"fmt"
)

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

// MaxStatus is the size in bytes of the largest error that a guest replies with.
const MaxStatus = 64 << 10

// GuestStatus is what the host reads of a guest's error, a Status: everything else in it is passed over.
type GuestStatus struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Code    int32  `json:"code"`
}

// DecodeStatus reads a guest's error.
func DecodeStatus(payload []byte) (GuestStatus, error) {
	var s GuestStatus
	if len(payload) > MaxStatus {
		return s, fmt.Errorf("error reply of %d bytes is larger than the %d allowed", len(payload), MaxStatus)
	}
	if err := json.Unmarshal(payload, &s); err != nil {
		return s, fmt.Errorf("error reply is not a Status: %w", err)
	}
	return s, nil
}
