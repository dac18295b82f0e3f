// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"encoding/json"
	"errors"
	"fmt"
)

const (
	// MaxWarnings is how many warnings one reply may have.
	MaxWarnings = 16
	// MaxWarning bounds a warning in bytes; the API server passes on 256 without cutting.
	MaxWarning = 256
	// maxAdmissionReply has room for as many warnings with every byte escaped.
	maxAdmissionReply = 64 << 10
)

// The operations that are held up.
const (
	OperationCreate = "CREATE"
	OperationUpdate = "UPDATE"
	OperationDelete = "DELETE"
)

// AdmissionRequest is the input of validate_create, validate_update, validate_delete and set_defaults. Name is
// empty for an object that the API server has yet to name.
type AdmissionRequest struct {
	ObjectKey
	// Object is the object as it is to be, or null when it is to be deleted.
	Object json.RawMessage `json:"object"`
	// OldObject is the object as it is, or null when it is to be created.
	OldObject json.RawMessage `json:"oldObject"`
}

// AdmitRequest is the input of admit: all that an AdmissionRequest says, and who asks for what and how.
type AdmitRequest struct {
	AdmissionRequest
	// UID names the request.
	UID string `json:"uid"`
	// Operation is CREATE, UPDATE or DELETE.
	Operation string `json:"operation"`
	// DryRun says that nothing will be stored.
	DryRun bool `json:"dryRun"`
	// UserInfo is a UserInfo of authentication.k8s.io/v1.
	UserInfo json.RawMessage `json:"userInfo"`
	// Options are the CreateOptions, UpdateOptions or DeleteOptions of meta.k8s.io/v1, or null.
	Options json.RawMessage `json:"options"`
}

// AdmissionReply is the reply of validate_create, validate_update, validate_delete and admit, which allows the
// request; the empty reply is its zero value. What is not allowed is an error.
type AdmissionReply struct {
	// Warnings are shown to who made the request.
	Warnings []string `json:"warnings,omitempty"`
}

// decode reads a reply. Above its largest size it has more warnings, or longer ones, than are allowed.
func (r *AdmissionReply) decode(payload []byte) error {
	if len(payload) > maxAdmissionReply {
		return fmt.Errorf("a reply of %d bytes is larger than the %d allowed", len(payload), maxAdmissionReply)
	}
	return decodeStrict(payload, r)
}

// Check says what is wrong with a reply.
func (r AdmissionReply) Check() error {
	if len(r.Warnings) > MaxWarnings {
		return fmt.Errorf("%d warnings, more than the %d allowed", len(r.Warnings), MaxWarnings)
	}
	for i, w := range r.Warnings {
		if len(w) > MaxWarning {
			return fmt.Errorf("warnings[%d] has %d bytes, more than the %d allowed", i, len(w), MaxWarning)
		}
		if w == "" {
			return errors.New("an empty warning")
		}
	}
	return nil
}
