// SPDX-License-Identifier: Apache-2.0

// Package k1s is the SDK for k1s plugins in Go: Kubernetes controllers that run as WebAssembly modules
// inside the k1s operator.
//
// A plugin registers what it is and what it reconciles, once, in an init function; main stays empty:
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
// Requests to the API server wait for what [Validate], [Default] and [Admit] make; objects that are being
// deleted wait for what [Finalize] makes.
//
// Types such as Category read and write themselves, see package json; [Object] is for kinds without a
// type. [Get], [List], [Edit], [Apply] and so on talk to the API server with the rights of the plugin's
// ServiceAccount and answer errors as values, see [Error]. Handlers are tested in ordinary Go tests
// with package k1stest.
//
// What a handler must know of its home: one instance runs one call at a time, several instances may run
// at once, and an instance may go at any time between calls: package variables are a cache at best.
// Goroutines run only while a call runs. A panic of the handler becomes an error of that call, but a
// panic in another goroutine, exhausted memory and endless recursion end the instance.
package k1s
