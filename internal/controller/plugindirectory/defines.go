// SPDX-License-Identifier: Apache-2.0

package plugindirectory

import (
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// Definitions reports which WasmPlugins a directory defines.
type Definitions struct{ Directory Directory }

// Defines reports whether the directory defines a plugin of the WasmPlugin's name, without a problem, and with exactly
// its spec. The contents of the directory decide, and not who created the WasmPlugin.
func (d Definitions) Defines(wp *pluginsv1alpha1.WasmPlugin) (bool, error) {
	found, err := d.Directory.Discover()
	if err != nil {
		return false, err
	}
	for _, p := range found.Problems {
		if p.Name == wp.Name {
			return false, nil // a problem has precedence over a definition
		}
	}
	for _, def := range found.Definitions {
		if def.Name == wp.Name {
			return sameSpec(wp.Spec, defaulted(def.Spec)), nil
		}
	}
	return false, nil
}
