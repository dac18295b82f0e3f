// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"

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
// Fields that the type does not have stay as they are; but where the length of a list is changed, its
// elements become what the type writes. Of the metadata only labels and annotations can be changed, and the
// status cannot.
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
		return changed(in.object, json.Raw(before), json.Raw(after))
	}
	return h
}

// changed returns an object with what was changed of it, or no bytes if nothing was. Before and after are
// what its type writes, which need not be all that the object has.
func changed(object, before, after json.Raw) ([]byte, error) {
	if before == after {
		return nil, nil
	}
	var e json.Encoder
	carry(&e, object, before, after)
	return e.Bytes(), e.Err()
}

// carry writes value with the differences between before and after.
func carry(e *json.Encoder, value, before, after json.Raw) {
	kind := kindOf(after)
	switch {
	case before == after:
		e.Raw(value)
	case kind == json.KindObject && kindOf(value) == kind && kindOf(before) == kind:
		carryObject(e, value, before, after)
	case kind == json.KindArray && kindOf(value) == kind && kindOf(before) == kind:
		carryArray(e, value, before, after)
	default:
		e.Raw(after)
	}
}

func carryObject(e *json.Encoder, value, before, after json.Raw) {
	there, was, is := membersOf(value), membersOf(before), membersOf(after)
	e.BeginObject()
	for _, m := range there {
		then, known := valueOf(was, m.name)
		now, wanted := valueOf(is, m.name)
		switch {
		case wanted:
			carry(e.Key(m.name), m.value, then, now)
		case !known:
			e.Key(m.name).Raw(m.value)
		}
	}
	for _, m := range is {
		_, already := valueOf(there, m.name)
		then, _ := valueOf(was, m.name)
		if !already && then != m.value {
			e.Key(m.name).Raw(m.value)
		}
	}
	e.EndObject()
}

func carryArray(e *json.Encoder, value, before, after json.Raw) {
	there, was, is := elementsOf(value), elementsOf(before), elementsOf(after)
	if len(there) != len(is) || len(was) != len(is) {
		e.Raw(after)
		return
	}
	e.BeginArray()
	for i := range is {
		carry(e, there[i], was[i], is[i])
	}
	e.EndArray()
}

func kindOf(raw json.Raw) json.Kind { return json.NewDecoder(string(raw)).Kind() }

// member is one of an object.
type member struct {
	name  string
	value json.Raw
}

func membersOf(raw json.Raw) (list []member) {
	d := json.NewDecoder(string(raw))
	for name := range d.Members() {
		list = append(list, member{name, d.Raw()})
	}
	return list
}

func elementsOf(raw json.Raw) (list []json.Raw) {
	d := json.NewDecoder(string(raw))
	for range d.Elements() {
		list = append(list, d.Raw())
	}
	return list
}

// valueOf returns the value of the member of that name; of several the last, which is the one that counts.
func valueOf(list []member, name string) (json.Raw, bool) {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].name == name {
			return list[i].value, true
		}
	}
	return "", false
}
