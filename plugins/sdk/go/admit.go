// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"
	"slices"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// Operation is what a request does to an object. Patch and apply are one of OperationCreate and
// OperationUpdate.
type Operation string

// The operations.
const (
	OperationCreate Operation = "CREATE"
	OperationUpdate Operation = "UPDATE"
	OperationDelete Operation = "DELETE"
)

// AdmissionRequest is a request to the API server that waits for the plugin.
type AdmissionRequest[T any] struct {
	TypeReference
	// Key has an empty Name when the API server has yet to make one.
	Key
	// UID names the request.
	UID       string
	Operation Operation
	// DryRun says that nothing will be stored.
	DryRun bool
	// UserInfo says who makes the request.
	UserInfo UserInfo
	// Options are the CreateOptions, UpdateOptions or DeleteOptions of meta.k8s.io/v1, or null.
	Options json.Raw
	// Object is the object as it is to be; nil when it is to be deleted.
	Object T
	// OldObject is the object as it is; nil when it is to be created.
	OldObject T
}

// UserInfo says who makes a request, as the API server knows it.
type UserInfo struct {
	Username string
	UID      string
	Groups   []string
	// Extra is what else the authenticator says.
	Extra map[string][]string
}

// Admitter reports whether requests may be carried out, and hears who makes them. What is said of errors,
// reads and writes of a [Validator] holds here too.
type Admitter[T any] struct {
	// Operations are those that wait for the plugin; none means all.
	Operations []Operation
	Admit      func(ctx context.Context, req AdmissionRequest[T]) (Warnings, error)
}

// Admit makes a handler for a kind that has a Go type.
func Admit[T any, P Readable[T]](a Admitter[P]) AdmissionHandler {
	return newAdmitter[T](P(new(T)).TypeRef(), a)
}

// AdmitKind makes a handler for a kind without a Go type.
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

// UnmarshalK1s reads a UserInfo of authentication.k8s.io/v1.
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

// MarshalK1s writes a UserInfo of authentication.k8s.io/v1.
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
