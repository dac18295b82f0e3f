// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"
	"slices"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// Operation is the operation of an admission request. A patch or an apply is an OperationCreate or an OperationUpdate.
type Operation string

// The operations.
const (
	OperationCreate Operation = "CREATE"
	OperationUpdate Operation = "UPDATE"
	OperationDelete Operation = "DELETE"
)

// AdmissionRequest is an admission request that the plugin handles.
type AdmissionRequest[T any] struct {
	TypeReference
	// Key has an empty Name if the API server has not generated it yet.
	Key
	// UID identifies the request.
	UID       string
	Operation Operation
	// DryRun means that the API server will not store the result.
	DryRun bool
	// UserInfo is the user who makes the request.
	UserInfo UserInfo
	// Options are the CreateOptions, UpdateOptions or DeleteOptions of meta.k8s.io/v1, or null.
	Options json.Raw
	// Object is the new object. It is nil for a deletion.
	Object T
	// OldObject is the stored object. It is nil for a creation.
	OldObject T
}

// UserInfo is the user who makes a request, as the API server authenticated it.
type UserInfo struct {
	Username string
	UID      string
	Groups   []string
	// Extra is additional information of the authenticator.
	Extra map[string][]string
}

// Admitter allows or denies requests, and receives the user who makes them. The rules of a [Validator] for errors,
// reads and writes apply to it too.
type Admitter[T any] struct {
	// Operations are the operations of the requests that the plugin handles. None means all.
	Operations []Operation
	Admit      func(ctx context.Context, req AdmissionRequest[T]) (Warnings, error)
}

// Admit returns a handler for a kind with a Go type.
func Admit[T any, P Readable[T]](a Admitter[P]) AdmissionHandler {
	return newAdmitter[T](P(new(T)).TypeRef(), a)
}

// AdmitKind returns a handler for a kind without a Go type.
func AdmitKind(apiVersion, kind string, a Admitter[*Object]) AdmissionHandler {
	return newAdmitter[Object](TypeReference{APIVersion: apiVersion, Kind: kind}, a)
}

func newAdmitter[T any, P Readable[T]](ref TypeReference, a Admitter[P]) AdmissionHandler {
	h := AdmissionHandler{ref: ref, capability: CapabilityAdmission}
	if a.Admit == nil {
		return h
	}
	h.operations = a.Operations
	if len(h.operations) == 0 {
		h.operations = []Operation{OperationCreate, OperationUpdate, OperationDelete}
	}
	h.run = func(ctx context.Context, in *admissionInput) ([]byte, error) {
		obj, err := readObject[T, P](in.object)
		if err != nil {
			return nil, in.unreadable(err)
		}
		old, err := readObject[T, P](in.oldObject)
		if err != nil {
			return nil, in.unreadableOld(err)
		}
		warnings, err := a.Admit(ctx, AdmissionRequest[P]{
			TypeReference: in.ref, Key: in.key, UID: in.uid, Operation: in.operation, DryRun: in.dryRun,
			UserInfo: in.user, Options: in.options, Object: obj, OldObject: old,
		})
		if err != nil {
			return nil, err
		}
		return warnings.reply(), nil
	}
	return h
}

// UnmarshalK1s decodes a UserInfo of authentication.k8s.io/v1.
func (u *UserInfo) UnmarshalK1s(d *json.Decoder) {
	*u = UserInfo{}
	for name := range d.Members() {
		switch name {
		case "username":
			u.Username = d.String()
		case "uid":
			u.UID = d.String()
		case "groups":
			u.Groups = d.Strings()
		case "extra":
			u.Extra = make(map[string][]string)
			for name := range d.Members() {
				u.Extra[name] = d.Strings()
			}
		}
	}
}

// MarshalK1s encodes a UserInfo of authentication.k8s.io/v1.
func (u *UserInfo) MarshalK1s(e *json.Encoder) {
	e.BeginObject()
	optional(e, "username", u.Username)
	optional(e, "uid", u.UID)
	if len(u.Groups) > 0 {
		e.Key("groups").Strings(u.Groups)
	}
	if len(u.Extra) > 0 {
		names := make([]string, 0, len(u.Extra))
		for name := range u.Extra {
			names = append(names, name)
		}
		slices.Sort(names)
		e.Key("extra").BeginObject()
		for _, name := range names {
			e.Key(name).Strings(u.Extra[name])
		}
		e.EndObject()
	}
	e.EndObject()
}
