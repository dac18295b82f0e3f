// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"encoding/json"
	"fmt"
)

// Status is an error in the ABI. It has the fields of metav1.Status that the ABI uses.
type Status struct {
	APIVersion string         `json:"apiVersion,omitempty"` // v1
	Kind       string         `json:"kind,omitempty"`       // Status
	Status     string         `json:"status,omitempty"`     // Failure
	Message    string         `json:"message,omitempty"`
	Reason     string         `json:"reason,omitempty"`
	Code       int32          `json:"code,omitempty"`
	Details    *StatusDetails `json:"details,omitempty"`
}

// StatusDetails identifies the object of an error.
type StatusDetails struct {
	Name              string `json:"name,omitempty"`
	Group             string `json:"group,omitempty"`
	Kind              string `json:"kind,omitempty"`
	UID               string `json:"uid,omitempty"`
	RetryAfterSeconds int32  `json:"retryAfterSeconds,omitempty"`
}

// MaxStatus is the maximum size in bytes of an error reply of a guest.
const MaxStatus = 64 << 10

// GuestStatus contains the fields that the host reads of the Status in an error reply of a guest. Other fields are
// ignored.
type GuestStatus struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Code    int32  `json:"code"`
}

// DecodeStatus decodes the error reply of a guest.
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
