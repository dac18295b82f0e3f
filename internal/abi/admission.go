// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"encoding/json"
	"errors"
	"fmt"
)

const (
	// MaxWarnings is the maximum number of warnings in one reply.
	MaxWarnings = 16
	// MaxWarning is the maximum size of a warning in bytes. The API server passes on 256 without truncation.
	MaxWarning = 256
	// maxAdmissionReply has room for the maximum number of warnings with every byte escaped.
	maxAdmissionReply = 64 << 10
)

// Operations of admission requests.
const (
	OperationCreate = "CREATE"
	OperationUpdate = "UPDATE"
	OperationDelete = "DELETE"
)

// AdmissionRequest is the input of validate_create, validate_update, validate_delete and set_defaults. Name is empty
// for an object whose name the API server has yet to generate.
type AdmissionRequest struct {
	ObjectKey
	// Object is the new object, or null for a delete operation.
	Object json.RawMessage `json:"object"`
	// OldObject is the existing object, or null for a create operation.
	OldObject json.RawMessage `json:"oldObject"`
}

// AdmitRequest is the input of admit: an AdmissionRequest with the user, the operation and its options.
type AdmitRequest struct {
	AdmissionRequest
	// UID identifies the request.
	UID string `json:"uid"`
	// Operation is CREATE, UPDATE or DELETE.
	Operation string `json:"operation"`
	// DryRun reports whether the request is a dry run, which does not store anything.
	DryRun bool `json:"dryRun"`
	// UserInfo is a UserInfo of authentication.k8s.io/v1.
	UserInfo json.RawMessage `json:"userInfo"`
	// Options are the CreateOptions, UpdateOptions or DeleteOptions of meta.k8s.io/v1, or null.
	Options json.RawMessage `json:"options"`
}

// AdmissionReply is the reply of validate_create, validate_update, validate_delete and admit that allows the request.
// An empty reply means the zero value. A denied request is an error reply.
type AdmissionReply struct {
	// Warnings are shown to the client that sent the request.
	Warnings []string `json:"warnings,omitempty"`
}

// decode decodes a reply. A reply above the maximum size has more or longer warnings than are allowed.
func (r *AdmissionReply) decode(payload []byte) error {
	if len(payload) > maxAdmissionReply {
		return fmt.Errorf("a reply of %d bytes is larger than the %d allowed", len(payload), maxAdmissionReply)
	}
	return decodeStrict(payload, r)
}

// Check returns an error if the reply is invalid.
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
