// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"
	"slices"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// AdmissionHandler handles the admission requests for objects of one kind. [Validate], [Default] and [Admit] return
// one.
type AdmissionHandler struct {
	ref        TypeReference
	capability Capability
	// operations are the operations of the requests that it handles.
	operations []Operation
	run        func(ctx context.Context, in *admissionInput) ([]byte, error)
}

// TypeRef returns the kind that the handler handles.
func (h AdmissionHandler) TypeRef() TypeReference { return h.ref }

// Capability returns the capability that the plugin needs for the handler.
func (h AdmissionHandler) Capability() Capability { return h.capability }

// Handle handles a request as the operator sends it. The input and the reply are those of the guest ABI, of the export
// validate_create, validate_update, validate_delete, set_defaults or admit. The operation of the input, if it has one,
// takes precedence.
func (h AdmissionHandler) Handle(ctx context.Context, operation Operation, input json.Raw) (reply []byte, err error) {
	defer recoverInto(&err)
	in := admissionInput{operation: operation}
	if err := json.Unmarshal(string(input), &in); err != nil {
		return nil, CannotTell(err)
	}
	return h.answer(ctx, &in)
}

// answer calls the function of the plugin's author if the handler handles the operation.
func (h AdmissionHandler) answer(ctx context.Context, in *admissionInput) ([]byte, error) {
	if !slices.Contains(h.operations, in.operation) {
		return nil, nil
	}
	reply, err := h.run(ctx, in)
	if err != nil && find(err) == nil {
		// A plain error denies the request, as usual in Kubernetes.
		err = Invalid(err.Error())
	}
	return reply, err
}

// admissionInput is the input of the exports that handle admission requests.
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

// UnmarshalK1s reads the input. It skips unknown members, because a later host may add some.
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

// unreadable returns the error for an object that its type cannot decode: it is not an object of that kind.
func (in *admissionInput) unreadable(err error) error {
	return NewError(ReasonInvalid, "decode "+in.ref.Kind+": "+err.Error())
}

// unreadableOld returns the error for a stored object that its type cannot decode. It does not blame the request, which
// may be about to fix the object.
func (in *admissionInput) unreadableOld(err error) error {
	return NewError(ReasonInternalError, "decode the "+in.ref.Kind+" that is stored: "+err.Error())
}

// readObject decodes an object. It returns nil for null.
func readObject[T any, P Readable[T]](raw json.Raw) (P, error) {
	if raw == "" || raw == "null" {
		return nil, nil
	}
	obj := P(new(T))
	return obj, json.Unmarshal(string(raw), obj)
}

// serveAdmission serves the exports that handle admission requests. An empty reply allows the request and changes
// nothing.
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
	return nil, nil // the plugin handles such requests only for another kind
}
