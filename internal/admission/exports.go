// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"slices"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// exports returns the plugin's exports for an operation, in the order in which they are called.
func (p *Plugin) exports(hook webhook, operation string) []string {
	if p.Operations != nil && !slices.Contains(p.Operations, operation) {
		return nil
	}
	var exports []string
	for _, export := range plugin.AdmissionExports(operation) {
		if (export == abi.ExportSetDefaults) == (hook == mutating) && slices.Contains(p.Exports, export) {
			exports = append(exports, export)
		}
	}
	return exports
}
