// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"fmt"

	"github.com/k1s-io/k1s/internal/wasm/binary"
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

// artifact is a module in the form that the engine runs: it is metered, its tables are bounded, and the engine applies
// its data segments and calls its start function. It depends on the bytes of the module alone and never changes.
type artifact struct {
	// Module is the input of the compiler.
	Module []byte
	// Data is the initial content of a new memory, in the order in which it is written.
	Data []meter.Segment
	// Globals are the mutable globals, by the names under which they are exported.
	Globals []meter.Global
	// HasStart reports whether there is a start function, exported as meter.ExportStart.
	HasStart bool
	// Restorable reports whether memory and globals are the whole state of an instance.
	Restorable bool
	// cost is meter.Output.CompileCost.
	cost uint64
}

// prepare returns the artifact of a module that has been checked.
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

// compact copies the data to memory of its own, so that it does not keep the bytes of the module alive.
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

// dataBytes returns the total size of Data in bytes.
func (a *artifact) dataBytes() (n int) {
	for _, d := range a.Data {
		n += len(d.Bytes)
	}
	return n
}
