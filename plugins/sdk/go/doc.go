// SPDX-License-Identifier: Apache-2.0

// Package k1s implements the SDK for k1s plugins in Go: Kubernetes controllers that run as WebAssembly modules inside
// the k1s operator.
//
// A plugin registers its name and its handlers once, in an init function. Its main function stays empty:
//
//	func init() {
//		k1s.Register(k1s.Plugin{
//			Name:        "greeter",
//			Version:     "v1.0.0",
//			Reconcilers: []k1s.Handler{k1s.For[Category](reconciler{})},
//		})
//	}
//
//	type reconciler struct{}
//
//	func (reconciler) Reconcile(ctx context.Context, req k1s.Request, cat *Category) (k1s.Result, error) {
//		if cat == nil {
//			return k1s.Result{}, nil // it was deleted
//		}
//		k1s.Log.Info("seen", "name", req.Name)
//		return k1s.Result{}, nil
//	}
//
//	func main() {}
//
// It is built with
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -trimpath -ldflags "-s -w" -o plugin.wasm .
//
// [Validate], [Default] and [Admit] return handlers for admission requests. [Finalize] returns a handler for objects
// that are being deleted, whose deletion is blocked until the handler is done.
//
// Types such as Category decode and encode themselves, see package json. [Object] is for kinds without a Go type.
// [Get], [List], [Edit], [Apply] and others call the API server with the permissions of the plugin's ServiceAccount and
// return errors as values, see [Error]. Package k1stest is for tests of handlers in ordinary Go tests.
//
// A handler runs under these conditions: one instance runs one call at a time. Several instances may run concurrently,
// and an instance may be released at any time between calls, so package variables can only be a cache. Goroutines run
// only during a call. A panic of the handler becomes an error of that call. A panic in another goroutine, exhausted
// memory and endless recursion end the instance.
package k1s
