// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"
	"slices"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// AdmissionHandler answers requests to the API server for objects of one kind while they wait. [Validate],
// [Default] and [Admit] make one.
type AdmissionHandler struct {
	ref        TypeReference
	capability Capability
	// operations are those of the requests that wait.
	operations []Operation
	run        func(ctx context.Context, in *admissionInput) ([]byte, error)
}

// TypeRef returns the kind that the handler is for.
func (h AdmissionHandler) TypeRef() TypeReference { return h.ref }

// Capability returns what the plugin needs to be granted for the handler.
func (h AdmissionHandler) Capability() Capability { return h.capability }

// Handle answers a request as the operator makes it: input and reply are those of the guest ABI, of the
// export validate_create, validate_update, validate_delete, set_defaults or admit. The operation is that of
// the input, if it has one.
func (h AdmissionHandler) Handle(ctx context.Context, operation Operation, input json.Raw) (reply []byte, err error) {
	defer recoverInto(&err)
	in := admissionInput{operation: operation}
	if err := json.Unmarshal(string(input), &in); err != nil {
		return nil, CannotTell(err)
	}
	return h.answer(ctx, &in)
}

// answer calls the function of the plugin's author, if it wants such requests.
func (h AdmissionHandler) answer(ctx context.Context, in *admissionInput) ([]byte, error) {
	if !slices.Contains(h.operations, in.operation) {
		return nil, nil
	}
	reply, err := h.run(ctx, in)
	if err != nil && find(err) == nil {
		// A plain error is a no, as everywhere in Kubernetes.
		err = Invalid(err.Error())
	}
	return reply, err
}

// admissionInput is the input of the exports that requests wait for.
type admissionInput struct {
	ref               TypeReference
	key               Key
	object, oldObject json.Raw
	uid               string
	operation         Operation
	dryRun            bool
	user              UserInfo
	options           json.Raw
}

// UnmarshalK1s reads the input. Members that it does not know are skipped: a later host may add some.
func (in *admissionInput) UnmarshalK1s(d *json.Decoder) {
	for name := range d.Members() {
		switch name {
		case "apiVersion":
			in.ref.APIVersion = d.String()
		case "kind":
			in.ref.Kind = d.String()
		case "namespace":
			in.key.Namespace = d.String()
		case "name":
			in.key.Name = d.String()
		case "object":
			in.object = d.Raw()
		case "oldObject":
			in.oldObject = d.Raw()
		case "uid":
			in.uid = d.String()
		case "operation":
			in.operation = Operation(d.String())
		case "dryRun":
			in.dryRun = d.Bool()
		case "userInfo":
			in.user.UnmarshalK1s(d)
		case "options":
			in.options = d.Raw()
		}
	}
}

// unreadable is the error for an object that its type cannot read: it is no object of that kind.
func (in *admissionInput) unreadable(err error) error {
	return NewError(ReasonInvalid, "decode "+in.ref.Kind+": "+err.Error())
}

// unreadableOld is the same for the object that is stored: whoever makes the request may be about to mend it.
func (in *admissionInput) unreadableOld(err error) error {
	return NewError(ReasonInternalError, "decode the "+in.ref.Kind+" that is stored: "+err.Error())
}

// readObject reads an object; it is nil for null.
func readObject[T any, P Readable[T]](raw json.Raw) (P, error) {
	if raw == "" || raw == "null" {
		return nil, nil
	}
	obj := P(new(T))
	return obj, json.Unmarshal(string(raw), obj)
}

// serveAdmission answers the exports that requests wait for. No bytes allow the request, and change nothing.
func serveAdmission(r *registration, capability Capability, operation Operation, input string) (reply []byte, err error) {
	defer recoverInto(&err)
	p, err := r.current()
	if err != nil {
		return nil, CannotTell(err)
	}
	in := admissionInput{operation: operation}
	if err := json.Unmarshal(input, &in); err != nil {
		return nil, CannotTell(err)
	}
	for _, h := range p.Admission {
		if h.ref == in.ref && h.capability == capability {
			return h.answer(context.Background(), &in)
		}
	}
	return nil, nil // the plugin wants such requests for another kind
}
