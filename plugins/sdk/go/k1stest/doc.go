// SPDX-License-Identifier: Apache-2.0

// Package k1stest is an operator and an API server in memory, so that a plugin's handlers are tested
// with plain go test, without WebAssembly:
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
// Validators, defaulters and finalizers are called with [Host.ValidateCreate] and the like, [Host.Default] and
// [Host.Finalize].
//
// What it does as a cluster does: resource versions and conflicts, NotFound and AlreadyExists, uid and
// generation, finalizers, the status as a subresource of every kind, label selectors, paging, and writes
// that change nothing and so leave the resource version alone. Requests with unknown members are refused
// as the operator refuses them.
//
// What is simpler:
//   - There are no schemas: nothing is defaulted, pruned or validated. Strategic patches are refused.
//   - Field selectors know metadata.name and metadata.namespace only.
//   - Server-side apply knows one field manager, the plugin. All that it did not apply itself belongs to
//     somebody else. The lists conditions (by type) and ownerReferences (by uid) are merged, finalizers
//     are a set, and other lists are replaced as a whole.
//   - Update wants a resource version, as the API server does for custom resources.
//   - Nothing is validated or defaulted by the plugin but what the test asks it about.
//   - Nobody's rights are checked, and owned objects are not collected.
package k1stest
