// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// Warnings are shown to who made a request that is allowed. The operator passes on 16 of them, of 256 bytes
// each; what is longer is cut, and empty ones are left out.
type Warnings []string

// Validator reports whether requests to the API server may be carried out. It has the functions that it needs:
// requests of the other operations do not wait for the plugin.
//
// An error refuses the request, and its message is what the client is shown; an error that is no [Error]
// has the reason Invalid. One of reason InternalError, Timeout, ServerTimeout, ServiceUnavailable or
// TooManyRequests, or with the Code 429 or one from 500 on, says that there is no answer: then the failure
// policy of the WasmPlugin decides, as it does after a panic. See [CannotTell].
//
// While a request waits, objects can be read, and HTTP requests made with GET and HEAD; whatever changes
// something is Forbidden.
type Validator[T any] struct {
	// Create gets the object as it is to be; it need not have a name yet, if it has a GenerateName.
	Create func(ctx context.Context, obj T) (Warnings, error)
	// Update gets the object as it is and as it is to be. It is not called for changes of the status, nor
	// for objects that are being deleted.
	Update func(ctx context.Context, old, obj T) (Warnings, error)
	// Delete gets the object as it is.
	Delete func(ctx context.Context, obj T) (Warnings, error)
}

// Validate makes a handler for a kind that has a Go type:
//
//	k1s.Validate(k1s.Validator[*Category]{Create: checkNew, Update: checkChange})
//
// An object that the type cannot read is refused.
func Validate[T any, P Readable[T]](v Validator[P]) AdmissionHandler {
	return newValidator[T](P(new(T)).TypeRef(), v)
}

// ValidateKind makes a handler for a kind without a Go type.
func ValidateKind(apiVersion, kind string, v Validator[*Object]) AdmissionHandler {
	return newValidator[Object](TypeReference{APIVersion: apiVersion, Kind: kind}, v)
}

func newValidator[T any, P Readable[T]](ref TypeReference, v Validator[P]) AdmissionHandler {
	h := AdmissionHandler{ref: ref, capability: CapabilityValidation}
	if v.Create != nil {
		h.operations = append(h.operations, OperationCreate)
	}
	if v.Update != nil {
		h.operations = append(h.operations, OperationUpdate)
	}
	if v.Delete != nil {
		h.operations = append(h.operations, OperationDelete)
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
		var warnings Warnings
		switch {
		case in.operation == OperationCreate && v.Create != nil:
			warnings, err = v.Create(ctx, obj)
		case in.operation == OperationUpdate && v.Update != nil:
			warnings, err = v.Update(ctx, old, obj)
		case in.operation == OperationDelete && v.Delete != nil:
			warnings, err = v.Delete(ctx, old)
		}
		if err != nil {
			return nil, err
		}
		return warnings.reply(), nil
	}
	return h
}

// CannotTell returns err as one that says that there is no answer to whether a request is allowed, whatever
// reason it had: the failure policy of the WasmPlugin decides. It is nil for nil.
//
//	err := k1s.Get(ctx, key, &category)
//	if k1s.IsNotFound(err) {
//		return nil, k1s.Invalid("spec.category does not exist")
//	}
//	if err != nil {
//		return nil, k1s.CannotTell(err)
//	}
func CannotTell(err error) error {
	if err == nil {
		return nil
	}
	return NewError(ReasonInternalError, err.Error())
}

const (
	// maxWarnings and maxWarning, in bytes, are the bounds of the guest ABI.
	maxWarnings = 16
	maxWarning  = 256
)

// reply returns the warnings as the operator reads them; no bytes mean that there are none.
func (w Warnings) reply() []byte {
	var e json.Encoder
	n := 0
	for _, warning := range w {
		if warning == "" || n == maxWarnings {
			continue
		}
		if n == 0 {
			e.BeginObject()
			e.Key("warnings").BeginArray()
		}
		e.String(cut(warning, maxWarning))
		n++
	}
	if n == 0 {
		return nil
	}
	e.EndArray()
	e.EndObject()
	return e.Bytes()
}

// cut returns a text of at most limit bytes, with dots where something is missing.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const dots = "…"
	end := limit - len(dots)
	for end > 0 && text[end]&0xc0 == 0x80 { // within a character
		end--
	}
	return text[:end] + dots
}
