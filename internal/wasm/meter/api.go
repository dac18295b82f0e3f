// SPDX-License-Identifier: Apache-2.0

package meter

import (
	"cmp"
	"fmt"

	"github.com/k1s-io/k1s/internal/wasm/binary"
)

// Version is the output's: it is raised with every change of it, as it is part of cache keys.
const Version = 3

// What Rewrite adds to a module. A module that has such names of its own is refused.
const (
	// ImportModule and ImportYield name the import: yield(fuel i64, stack i64) -> i64. It is called
	// when fuel or stack is below zero, and returns the fuel from then on. If stack is below zero, it must
	// panic, which unwinds the guest.
	ImportModule = "k1s:meter"
	ImportYield  = "yield"
	// ExportFuel is a mutable i64: how many instructions may run until yield is called. It is zero at
	// the start.
	ExportFuel = "k1s:fuel"
	// ExportStack is a mutable i64: how many bytes of call stack are left. It is zero at the start: the
	// host sets it before the first call, and again only after a call that did not return, as every
	// call that returns gives back what it took. Up to StackSlack bytes of each entry from the host are
	// not counted.
	ExportStack = "k1s:stack"
	// ExportGlobalPrefix, with a global's index, is the name of every mutable global of the module's own.
	ExportGlobalPrefix = "k1s:global:"
	// ExportStart is the start function, if the module has one; the start section is removed.
	ExportStart = "k1s:start"

	reserved = "k1s:"
)

// Options say what Rewrite leaves to the engine.
type Options struct {
	// KeepData leaves active data segments and the start section in the module. Otherwise whoever
	// instantiates it writes the data and runs the start function.
	KeepData bool

	// chunk is another one than the constant, for tests.
	chunk uint32
}

// Segment is an active data segment that was taken out of the module.
type Segment struct {
	// Offset is where it is written in the memory.
	Offset uint32
	// Bytes are those of the input.
	Bytes []byte
}

// Global is a mutable global of the module's own.
type Global struct {
	// Export is the name under which the metered module exports it.
	Export string
	// Type is its value type's byte.
	Type byte
}

// Output is a metered module and what a host has to know of it.
type Output struct {
	// Module is the metered module.
	Module []byte
	// Data are the active data segments that were taken out, in the order in which they are written.
	Data []Segment
	// Globals are all mutable globals of the module's own.
	Globals []Global
	// HasStart says that ExportStart is there.
	HasStart bool
	// Restorable says that a copy of the memory and of Globals is all of an instance's state.
	Restorable bool
	// WhyNot says what prevents it.
	WhyNot string
	// Complexity is that of the function that has most.
	Complexity uint64
	// CompileCost is what compiling may cost at the worst, see body.compileCost.
	CompileCost uint64
	// Functions and Instructions count what the module has.
	Functions, Instructions int
}

// Rewrite meters a module. Errors are those of binary.Parse, or say what of the module is not core 2.0,
// is out of bounds, or has a name that is reserved.
func Rewrite(module []byte, o Options) (*Output, error) {
	if _, err := binary.Parse(module); err != nil {
		return nil, err
	}
	m, err := read(module, cmp.Or(o.chunk, chunk))
	if err != nil {
		return nil, err
	}
	if err := m.scan(); err != nil {
		return nil, err
	}
	p := m.plan()
	out := &Output{Functions: len(m.bodies)}
	for i := range m.bodies {
		b := &m.bodies[i]
		out.Instructions += int(b.instructions)
		out.Complexity = max(out.Complexity, b.complexity())
		out.CompileCost += b.compileCost()
	}
	m.restorable(out)
	takeData := !o.KeepData && m.plainData
	if takeData {
		out.Data = m.segments()
	}
	w := writer{m: m, plan: p, takeData: takeData, takeStart: !o.KeepData, chunk: m.chunk}
	out.HasStart = w.takeStart && m.start >= 0
	for i, g := range m.globals {
		if index := len(m.importedGlobals) + i; g.mutable {
			out.Globals = append(out.Globals, Global{Export: fmt.Sprintf("%s%d", ExportGlobalPrefix, index), Type: g.typ})
		}
	}
	out.Module = w.module(out.Globals)
	return out, nil
}
