// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"
	"time"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// Request names the object to reconcile.
type Request struct {
	TypeReference
	Key
	// Attempt is 1, plus how many calls for this object have failed in a row.
	Attempt int
}

// Result is what a handler asks for after success. The zero Result asks for nothing: the next call
// comes when the object changes.
type Result struct {
	// RequeueAfter asks for another call after this time even without a change. It is rounded up to
	// milliseconds; zero and less ask for none.
	RequeueAfter time.Duration
}

// Reconciler brings the world in line with one object. The operator never runs two calls for one object
// at a time.
type Reconciler[T any] interface {
	// Reconcile gets the object as the operator's cache has it, or nil when it no longer exists. After
	// an error it is called again with growing pauses, except for an error of reason Invalid: that one
	// waits for a change of the object.
	Reconcile(ctx context.Context, req Request, obj T) (Result, error)
}

// ReconcileFunc is a Reconciler made of a function.
type ReconcileFunc[T any] func(ctx context.Context, req Request, obj T) (Result, error)

// Reconcile calls the function.
func (f ReconcileFunc[T]) Reconcile(ctx context.Context, req Request, obj T) (Result, error) {
	return f(ctx, req, obj)
}

// Readable is a pointer to a type that reads itself and knows its kind.
type Readable[T any] interface {
	*T
	json.Unmarshaler
	TypeRef() TypeReference
}

// Handler is a Reconciler together with the kind that it is for.
type Handler struct {
	ref TypeReference
	// read reads the object that comes next; nil for null.
	read func(d *json.Decoder) any
	// run calls the Reconciler with what read returned.
	run func(ctx context.Context, req Request, obj any) (Result, error)
}

// For makes a Handler for a kind that has a Go type:
//
//	k1s.For[Category](&reconciler{})
//
// An object that the type cannot read is an error of reason Invalid.
func For[T any, P Readable[T]](r Reconciler[P]) Handler {
	return newHandler[T, P](P(new(T)).TypeRef(), r)
}

// ForKind makes a Handler for a kind without a Go type.
func ForKind(apiVersion, kind string, r Reconciler[*Object]) Handler {
	return newHandler(TypeReference{APIVersion: apiVersion, Kind: kind}, r)
}

func newHandler[T any, P Readable[T]](ref TypeReference, r Reconciler[P]) Handler {
	return Handler{
		ref: ref,
		read: func(d *json.Decoder) any {
			if d.Null() {
				return nil
			}
			obj := P(new(T))
			obj.UnmarshalK1s(d)
			return obj
		},
		run: func(ctx context.Context, req Request, obj any) (Result, error) {
			p, _ := obj.(P) // nil stays nil
			return r.Reconcile(ctx, req, p)
		},
	}
}

// TypeRef returns the kind that the Handler is for.
func (h Handler) TypeRef() TypeReference { return h.ref }

// Reconcile calls the Reconciler with an object in JSON, as the operator does. A null or empty object
// stands for one that is gone.
func (h Handler) Reconcile(ctx context.Context, req Request, object json.Raw) (Result, error) {
	if object == "" {
		object = "null"
	}
	d := json.NewDecoder(string(object))
	obj := h.read(d)
	if err := d.End(); err != nil {
		return Result{}, h.unreadable(err)
	}
	return h.run(ctx, req, obj)
}

// unreadable is the error for an object that its type cannot read: trying again does not help.
func (h Handler) unreadable(err error) error {
	return NewError(ReasonInvalid, "decode "+h.ref.Kind+": "+err.Error())
}

// reply returns the result as the operator reads it; no bytes mean that nothing is asked for.
func (r Result) reply() []byte {
	if r.RequeueAfter <= 0 {
		return nil
	}
	var e json.Encoder
	e.BeginObject()
	e.Key("requeueAfterMillis").Int(int64((r.RequeueAfter-1)/time.Millisecond) + 1)
	e.EndObject()
	return e.Bytes()
}
