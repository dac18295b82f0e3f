// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"

	"github.com/k1s-io/k1s/plugins/sdk/go/internal/merge"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// Editable is a pointer to a type that reads and writes itself and knows its kind.
type Editable[T any] interface {
	Readable[T]
	json.Marshaler
}

// Default makes a handler that fills in what the author of an object left out. It is called when objects
// are created and updated, and changes obj in place:
//
//	k1s.Default(func(ctx context.Context, cat *Category) error {
//		if cat.Spec.Name == "" {
//			cat.Spec.Name = cat.Name
//		}
//		return nil
//	})
//
// Fields that the type does not have stay as they are, also those of elements of a list that f adds to,
// removes from or reorders: an element is recognized if it is equal, has the same name or else the same key,
// or is in the same place of a list that is as long as before. Where it is not certain which element became
// which, or whether an object was removed or is merely empty to the type, a field could be lost; then there
// is an error instead, of reason InternalError, which names the field. It is for the author of the plugin:
// give the elements names, read and write every element in its place, write {} for an object that is empty
// and null for one that is removed, or use [DefaultKind].
//
// Of the metadata only labels and annotations can be changed, and the status cannot.
//
// The API server has not looked at obj yet, so it may hold what the schema of its kind forbids. The
// function may be called again with what it made of an object, and must have nothing to change then. What
// is said of errors, reads and writes of a [Validator] holds here too.
func Default[T any, P Editable[T]](f func(ctx context.Context, obj P) error) AdmissionHandler {
	return newDefaulter[T](P(new(T)).TypeRef(), f)
}

// DefaultKind makes such a handler for a kind without a Go type.
func DefaultKind(apiVersion, kind string, f func(ctx context.Context, obj *Object) error) AdmissionHandler {
	return newDefaulter[Object](TypeReference{APIVersion: apiVersion, Kind: kind}, f)
}

func newDefaulter[T any, P Editable[T]](ref TypeReference, f func(ctx context.Context, obj P) error) AdmissionHandler {
	h := AdmissionHandler{ref: ref, capability: CapabilityDefaulting, operations: []Operation{OperationCreate, OperationUpdate}}
	if f == nil {
		h.operations = nil
	}
	// Which of the two it is does not matter, and the export does not say.
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
		if err != nil { // it is no fault of the object
			return nil, NewError(ReasonInternalError, "set defaults of "+in.ref.Kind+" "+quote(in.key.String())+": "+err.Error())
		}
		return text, nil
	}
	return h
}

// changed returns an object with what was changed of it, or no bytes if nothing was. Before and after are
// what its type writes, which need not be all that the object has.
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
