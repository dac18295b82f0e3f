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
	// Attempt is 1 plus the number of consecutive failed calls for this object.
	Attempt int
}

// Result is the result of a successful call. With the zero Result, the next call comes when the object changes.
type Result struct {
	// RequeueAfter requeues the object after this time, even without a change. It is rounded up to milliseconds. Zero
	// and negative values do not requeue it.
	RequeueAfter time.Duration
}

// Reconciler brings the cluster in line with the desired state of one object. The operator never runs two calls for the
// same object concurrently.
type Reconciler[T any] interface {
	// Reconcile receives the object from the operator's cache, or nil if it no longer exists. After an error the call
	// is retried with backoff. An error of reason Invalid is not retried until the object changes.
	Reconcile(ctx context.Context, req Request, obj T) (Result, error)
}

// ReconcileFunc is a function that implements Reconciler.
type ReconcileFunc[T any] func(ctx context.Context, req Request, obj T) (Result, error)

// Reconcile calls the function.
func (f ReconcileFunc[T]) Reconcile(ctx context.Context, req Request, obj T) (Result, error) {
	return f(ctx, req, obj)
}

// Readable is a pointer to a type that can be decoded and that knows its kind.
type Readable[T any] interface {
	*T
	json.Unmarshaler
	TypeRef() TypeReference
}

// Handler is a Reconciler together with the kind that it handles.
type Handler struct {
	ref TypeReference
	// read decodes the next object. It returns nil for null.
	read func(d *json.Decoder) any
	// run calls the Reconciler with the result of read.
	run func(ctx context.Context, req Request, obj any) (Result, error)
}

// For returns a Handler for a kind with a Go type:
//
//	k1s.For[Category](&reconciler{})
//
// If the type cannot decode an object, the error has the reason Invalid.
func For[T any, P Readable[T]](r Reconciler[P]) Handler {
	return newHandler[T, P](P(new(T)).TypeRef(), r)
}

// ForKind returns a Handler for a kind without a Go type.
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

// TypeRef returns the kind that the Handler handles.
func (h Handler) TypeRef() TypeReference { return h.ref }

// Reconcile calls the Reconciler with an object in JSON, as the operator does. A null or empty object means that it was
// deleted.
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

// unreadable returns the error for an object that its type cannot decode. A retry would not help.
func (h Handler) unreadable(err error) error {
	return NewError(ReasonInvalid, "decode "+h.ref.Kind+": "+err.Error())
}

// reply encodes the result for the operator. No bytes mean the zero result.
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
