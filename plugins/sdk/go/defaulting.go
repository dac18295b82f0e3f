// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"

	"github.com/k1s-io/k1s/plugins/sdk/go/internal/merge"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// Editable is a pointer to a type that can be decoded and encoded and that knows its kind.
type Editable[T any] interface {
	Readable[T]
	json.Marshaler
}

// Default returns a handler that sets defaults for fields that the author of an object left out. It is called when
// objects are created and updated, and changes obj in place:
//
//	k1s.Default(func(ctx context.Context, cat *Category) error {
//		if cat.Spec.Name == "" {
//			cat.Spec.Name = cat.Name
//		}
//		return nil
//	})
//
// Fields that the type does not have stay as they are. That includes fields of the elements of a list to which f adds
// elements, or whose elements it removes or reorders: an element is recognized if it is equal, if it has the same name
// or else the same key, or if it is at the same index of a list of the same length. A field could be lost if it is not
// certain which element became which, or whether an object was removed or is only empty to the type. In that case the
// result is an error of reason InternalError that names the field. The error is for the author of the plugin: give the
// elements names, read and write every element at its index, write {} for an object that is empty and null for one that
// is removed, or use [DefaultKind].
//
// Of the metadata only labels and annotations can be changed. The status cannot be changed.
//
// The API server has not validated obj yet, so it may violate the schema of its kind. The function may be called again
// with its own result, and must not change anything then. The rules of a [Validator] for errors, reads and writes apply
// to it too.
func Default[T any, P Editable[T]](f func(ctx context.Context, obj P) error) AdmissionHandler {
	return newDefaulter[T](P(new(T)).TypeRef(), f)
}

// DefaultKind returns such a handler for a kind without a Go type.
func DefaultKind(apiVersion, kind string, f func(ctx context.Context, obj *Object) error) AdmissionHandler {
	return newDefaulter[Object](TypeReference{APIVersion: apiVersion, Kind: kind}, f)
}

func newDefaulter[T any, P Editable[T]](ref TypeReference, f func(ctx context.Context, obj P) error) AdmissionHandler {
	h := AdmissionHandler{ref: ref, capability: CapabilityDefaulting, operations: []Operation{OperationCreate, OperationUpdate}}
	if f == nil {
		h.operations = nil
	}
	// The operation does not matter here, and the export does not tell it.
	h.run = func(ctx context.Context, in *admissionInput) ([]byte, error) {
		obj, err := readObject[T, P](in.object)
		if err != nil {
			return nil, in.unreadable(err)
		}
		if obj == nil {
			return nil, nil
		}
		before, err := json.Marshal(obj)
		if err != nil {
			return nil, CannotTell(err)
		}
		if err := f(ctx, obj); err != nil {
			return nil, err
		}
		after, err := json.Marshal(obj)
		if err != nil {
			return nil, CannotTell(err)
		}
		text, err := changed(in.object, json.Raw(before), json.Raw(after))
		if err != nil { // it is not the object's fault
			return nil, NewError(ReasonInternalError, "set defaults of "+in.ref.Kind+" "+quote(in.key.String())+": "+err.Error())
		}
		return text, nil
	}
	return h
}

// changed returns an object with the changes, or no bytes if there are none. Before and after are encoded by the
// object's type, which may not have all fields of the object.
func changed(object, before, after json.Raw) ([]byte, error) {
	if before == after {
		return nil, nil
	}
	text, err := merge.Apply(object, before, after)
	if err != nil {
		return nil, err
	}
	return []byte(text), nil
}
