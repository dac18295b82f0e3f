// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"
)

// Finalize makes a Handler for Plugin.Finalizers: what a plugin does before an object of a kind that has a
// Go type goes.
//
//	k1s.Finalize(func(ctx context.Context, req k1s.Request, cat *Category) (k1s.Result, error) {
//		return k1s.Result{}, release(ctx, cat)
//	})
//
// The operator puts a finalizer of the plugin's own on every object of the kind, before the first
// Reconcile. While the object is being deleted the function is called instead of Reconcile, until it
// returns the zero Result and no error: then the finalizer is taken off. A RequeueAfter asks for another
// call; after an error, of whatever reason, it is called again with growing pauses. It may be called again
// for what it has done already.
func Finalize[T any, P Readable[T]](f func(ctx context.Context, req Request, obj P) (Result, error)) Handler {
	if f == nil {
		return Handler{}
	}
	return For[T, P](ReconcileFunc[P](f))
}

// FinalizeKind makes such a Handler for a kind without a Go type.
func FinalizeKind(apiVersion, kind string, f func(ctx context.Context, req Request, obj *Object) (Result, error)) Handler {
	if f == nil {
		return Handler{}
	}
	return ForKind(apiVersion, kind, ReconcileFunc[*Object](f))
}

// serveFinalize answers the export finalize. No bytes mean that the plugin is done with the object.
func serveFinalize(r *registration, input string) (reply []byte, err error) {
	return serveObject(r, func(p *Plugin) []Handler { return p.Finalizers }, input)
}
