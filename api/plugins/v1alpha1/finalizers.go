// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// FinalizerCleanup blocks the deletion of a WasmPlugin until the operator has removed the plugin's finalizer from all
// objects.
const FinalizerCleanup = "plugins.k1s.io/cleanup"

// FinalizerOf returns the finalizer of a plugin with the capability finalization: it blocks the deletion of an object
// until the plugin has finalized it. It is unique, as a namespace has no dots.
func FinalizerOf(namespace, plugin string) string {
	return plugin + "." + namespace + ".plugins.k1s.io/finalize"
}
