// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"fmt"

	"github.com/k1s-io/k1s/internal/wasm/binary"
	"github.com/k1s-io/k1s/internal/wasm/meter"
)

const (
	// maxComplexity is twice that of the largest real function that was tried, see meter.Output.
	maxComplexity = 1_000_000
	// maxCostHere is what the operator compiles by itself, in less than half a second even of functions that were made
	// to be slow: a process of its own takes 50 ms to begin with.
	maxCostHere = 1_000_000
)

// artifact is a module as the engine runs it: metered, its tables bounded, its data and its start function
// in the engine's hands. It is made of the module's bytes alone and never changes.
type artifact struct {
	// Module is what the compiler gets.
	Module []byte
	// Data is what a new memory holds, in the order in which it is written.
	Data []meter.Segment
	// Globals are the mutable globals, by the names under which they are exported.
	Globals []meter.Global
	// HasStart says that there is a start function, exported as meter.ExportStart.
	HasStart bool
	// Restorable says that memory and globals are all the state that an instance has.
	Restorable bool
	// cost is meter.Output.CompileCost.
	cost uint64
}

// prepare makes the artifact of a module that has been checked.
func prepare(module []byte, outside *binary.Module) (*artifact, error) {
	out, err := meter.Rewrite(outside.CapTables(module), meter.Options{})
	if err != nil {
		return nil, fmt.Errorf("meter: %w", err)
	}
	if out.Complexity > maxComplexity {
		return nil, fmt.Errorf("a function has too many locals and blocks, or too long a br_table, to be compiled in reasonable time "+
			"(locals times blocks and labels: %d, %d allowed): make it smaller", out.Complexity, maxComplexity)
	}
	return &artifact{
		Module: out.Module, Data: out.Data, Globals: out.Globals, HasStart: out.HasStart, Restorable: out.Restorable,
		cost: out.CompileCost,
	}, nil
}

// compact gives the data memory of its own, so that the module's bytes are not kept for its sake.
func (a *artifact) compact() {
	blob := make([]byte, 0, a.dataBytes())
	data := make([]meter.Segment, len(a.Data))
	for i, d := range a.Data {
		start := len(blob)
		blob = append(blob, d.Bytes...)
		data[i] = meter.Segment{Offset: d.Offset, Bytes: blob[start:len(blob):len(blob)]}
	}
	a.Data = data
}

// dataBytes is how much Data holds.
func (a *artifact) dataBytes() (n int) {
	for _, d := range a.Data {
		n += len(d.Bytes)
	}
	return n
}
