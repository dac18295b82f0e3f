// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// Config is that of every runtime that compiles guests or reads their native code: the child's and the operator's must
// be the same, as parts of it decide about the code.
func Config() wazero.RuntimeConfig {
	// Compiled code is not preemptible, and wazero's own way of stopping it costs several times the guest's
	// time: guests are metered instead, see package meter.
	return wazero.NewRuntimeConfigCompiler().
		WithCloseOnContextDone(false).
		WithDebugInfoEnabled(false). // DWARF is much to read of a stranger, for line numbers in traps
		WithCoreFeatures(api.CoreFeaturesV2)
}
