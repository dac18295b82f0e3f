// SPDX-License-Identifier: Apache-2.0

// Package k1stest implements an operator and an API server in memory, so that a plugin's handlers can be tested with
// plain go test, without WebAssembly:
//
//	func TestReconcile(t *testing.T) {
//		host := k1stest.New(t)
//		host.AddJSON(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"shop"}}`)
//		result, err := host.Reconcile(k1s.ForKind("v1", "ConfigMap", reconciler{}), k1s.Key{Namespace: "shop", Name: "a"})
//		…
//		if len(host.Writes()) != 0 {
//			t.Error("nothing was to be written")
//		}
//	}
//
// [Host.ValidateCreate] and similar methods, [Host.Default] and [Host.Finalize] call validators, defaulters and
// finalizers.
//
// It behaves like a cluster in these respects: resource versions and conflicts, NotFound and AlreadyExists, uid and
// generation, finalizers, the status as a subresource of every kind, label selectors, paging, and writes that change
// nothing and therefore keep the resource version. It rejects requests with unknown members, as the operator does.
//
// It is simpler in these respects:
//   - There are no schemas: nothing is defaulted, pruned or validated. Strategic patches are rejected.
//   - Field selectors support only metadata.name and metadata.namespace.
//   - Server-side apply has one field manager, the plugin. All fields that it did not apply itself belong to
//     another one. The lists conditions (by type) and ownerReferences (by uid) are merged, finalizers are a
//     set, and other lists are replaced as a whole.
//   - Update requires a resource version, as the API server does for custom resources.
//   - The plugin's admission handlers run only when the test calls them.
//   - Permissions are not checked, and owned objects are not garbage-collected.
package k1stest
