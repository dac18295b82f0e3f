// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"
)

// Finalize returns a Handler for Plugin.Finalizers, for a kind with a Go type. It runs before an object is removed.
//
//	k1s.Finalize(func(ctx context.Context, req k1s.Request, cat *Category) (k1s.Result, error) {
//		return k1s.Result{}, release(ctx, cat)
//	})
//
// The operator adds the plugin's finalizer to every object of the kind, before the first Reconcile. While the object is
// being deleted, the function is called instead of Reconcile, until it returns the zero Result and no error: then the
// operator removes the finalizer. A RequeueAfter asks for another call. After an error of any reason, the call is
// retried with exponential backoff. The function must be idempotent, because it may be called again after it has
// succeeded.
func Finalize[T any, P Readable[T]](f func(ctx context.Context, req Request, obj P) (Result, error)) Handler {
	if f == nil {
		return Handler{}
	}
	return For[T, P](ReconcileFunc[P](f))
}

// FinalizeKind returns such a Handler for a kind without a Go type.
func FinalizeKind(apiVersion, kind string, f func(ctx context.Context, req Request, obj *Object) (Result, error)) Handler {
	if f == nil {
		return Handler{}
	}
	return ForKind(apiVersion, kind, ReconcileFunc[*Object](f))
}

// serveFinalize serves the export finalize. An empty reply means that the finalizer can be removed.
func serveFinalize(r *registration, input string) (reply []byte, err error) {
	return serveObject(r, func(p *Plugin) []Handler { return p.Finalizers }, input)
}
