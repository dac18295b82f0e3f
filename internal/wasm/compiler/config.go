// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// Config returns the configuration of every runtime that compiles guests or reads their native code. The child and the
// operator must use the same one, because parts of it affect the code.
func Config() wazero.RuntimeConfig {
	// Compiled code is not preemptible, and wazero's own way to stop it makes the guest several times slower. Guests
	// are metered instead, see package meter.
	return wazero.NewRuntimeConfigCompiler().
		WithCloseOnContextDone(false).
		WithDebugInfoEnabled(false). // parsing untrusted DWARF is not worth the line numbers in traps
		WithCoreFeatures(api.CoreFeaturesV2)
}
