// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// FinalizerCleanup keeps a WasmPlugin that is being deleted until the operator has taken back what it left on
// other objects for it.
const FinalizerCleanup = "plugins.k1s.io/cleanup"

// FinalizerOf is the finalizer that keeps an object that is being deleted until a plugin with the capability
// finalization is done with it. No two plugins have the same: a namespace has no dots.
func FinalizerOf(namespace, plugin string) string {
	return plugin + "." + namespace + ".plugins.k1s.io/finalize"
}
