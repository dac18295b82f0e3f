// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// Warnings are shown to the client whose request is allowed. The operator passes on up to 16 warnings of 256 bytes
// each. Longer ones are cut, and empty ones are omitted.
type Warnings []string

// Validator allows or denies admission requests. Set only the functions that are needed: the plugin's webhook does not
// match the other operations.
//
// An error denies the request, and the client receives its message. An error that is not an [Error] has the reason
// Invalid. An error with the reason InternalError, Timeout, ServerTimeout, ServiceUnavailable or TooManyRequests, or
// with the Code 429 or 500 and above, means that the plugin could not decide. The failure policy of the WasmPlugin then
// decides, as after a panic. See [CannotTell].
//
// While it handles a request, the plugin can read objects and send HTTP requests with GET and HEAD. Everything that
// could change something is Forbidden.
type Validator[T any] struct {
	// Create receives the new object. It may not have a name yet if it has a GenerateName.
	Create func(ctx context.Context, obj T) (Warnings, error)
	// Update receives the stored and the new object. It is called neither for changes of the status nor for objects
	// that are being deleted.
	Update func(ctx context.Context, old, obj T) (Warnings, error)
	// Delete receives the stored object.
	Delete func(ctx context.Context, obj T) (Warnings, error)
}

// Validate returns a handler for a kind with a Go type:
//
//	k1s.Validate(k1s.Validator[*Category]{Create: checkNew, Update: checkChange})
//
// An object that the type cannot decode is denied.
func Validate[T any, P Readable[T]](v Validator[P]) AdmissionHandler {
	return newValidator[T](P(new(T)).TypeRef(), v)
}

// ValidateKind returns a handler for a kind without a Go type.
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

// CannotTell converts err to an error that means that the plugin could not decide about a request, regardless of its
// reason. The failure policy of the WasmPlugin then decides. It returns nil if err is nil.
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
	// maxWarnings and maxWarning, in bytes, are limits of the guest ABI.
	maxWarnings = 16
	maxWarning  = 256
)

// reply encodes the warnings for the operator. No bytes mean that there are none.
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

// cut returns the text, shortened to at most limit bytes and ending in an ellipsis if it is longer.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const dots = "…"
	end := limit - len(dots)
	for end > 0 && text[end]&0xc0 == 0x80 { // inside a character
		end--
	}
	return text[:end] + dots
}
