// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"slices"

	"github.com/k1s-io/k1s/internal/abi"
)

// exports returns the plugin's exports for an operation, in the order in which they are called.
func (p *Plugin) exports(hook webhook, operation string) []string {
	if p.Operations != nil && !slices.Contains(p.Operations, operation) {
		return nil
	}
	var exports []string
	for _, export := range candidates(hook, operation) {
		if slices.Contains(p.Exports, export) {
			exports = append(exports, export)
		}
	}
	return exports
}

func candidates(hook webhook, operation string) []string {
	if hook == mutating {
		if operation == abi.OperationCreate || operation == abi.OperationUpdate {
			return []string{abi.ExportSetDefaults}
		}
		return nil
	}
	switch operation {
	case abi.OperationCreate:
		return []string{abi.ExportValidateCreate, abi.ExportAdmit}
	case abi.OperationUpdate:
		return []string{abi.ExportValidateUpdate, abi.ExportAdmit}
	case abi.OperationDelete:
		return []string{abi.ExportValidateDelete, abi.ExportAdmit}
	default:
		return nil
	}
}
