// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"fmt"

	"github.com/k1s-io/k1s/internal/wasm/binary"
	"github.com/k1s-io/k1s/internal/wasm/codecache"
	"github.com/k1s-io/k1s/internal/wasm/meter"
)

const (
	// maxComplexity is twice that of the largest real function that was tested, see meter.Output.
	maxComplexity = 1_000_000
	// maxCostHere is the largest compile cost of a module that the operator compiles in its own process. Such a module
	// compiles in less than half a second even if its functions are crafted to be slow. A separate process takes 50 ms
	// to start.
	maxCostHere = 1_000_000
)

// prepare returns the artifact of a module that has been checked.
func prepare(outside *binary.Module) (*codecache.Artifact, error) {
	out, err := meter.RewriteParsed(outside.CapTables(), meter.Options{})
	if err != nil {
		return nil, fmt.Errorf("meter: %w", err)
	}
	if out.Complexity > maxComplexity {
		return nil, fmt.Errorf("a function has too many locals and blocks, or too long a br_table, to be compiled in reasonable time "+
			"(locals times blocks and labels: %d, %d allowed): make it smaller", out.Complexity, maxComplexity)
	}
	return &codecache.Artifact{
		Module: out.Module, Data: out.Data, Globals: out.Globals, HasStart: out.HasStart, Restorable: out.Restorable,
		Cost: out.CompileCost,
	}, nil
}
