// SPDX-License-Identifier: Apache-2.0

package meter

import (
	"cmp"
	"fmt"

	"github.com/k1s-io/k1s/internal/wasm/binary"
)

// Version is the version of the output. It is part of cache keys and must be increased with every change of the output.
const Version = 3

// Names that Rewrite adds to a module. A module that already uses such names is rejected.
const (
	// ImportModule and ImportYield name the import yield(fuel i64, stack i64) -> i64. The module calls it when fuel or
	// stack is below zero. It returns the new fuel. If stack is below zero, it must panic, which unwinds the guest.
	ImportModule = "k1s:meter"
	ImportYield  = "yield"
	// ExportFuel is a mutable i64 global: how many instructions can run until yield is called. Its initial value is
	// zero.
	ExportFuel = "k1s:fuel"
	// ExportStack is a mutable i64 global: how many bytes of call stack remain. Its initial value is zero. The host
	// sets it before the first call, and again only after a call that did not return, because every call that returns
	// restores what it took. For each entry from the host, up to StackSlack bytes are not counted.
	ExportStack = "k1s:stack"
	// ExportGlobalPrefix, followed by the index of the global, is the export name of every mutable global that the
	// module defines.
	ExportGlobalPrefix = "k1s:global:"
	// ExportStart is the export name of the start function, if the module has one. The start section is removed.
	ExportStart = "k1s:start"

	reserved = "k1s:"
)

// Options configure which tasks Rewrite leaves to the engine.
type Options struct {
	// KeepData keeps active data segments and the start section in the module. Otherwise the host writes the data and
	// runs the start function after it instantiates the module.
	KeepData bool

	// chunk overrides the constant chunk in tests.
	chunk uint32
}

// Segment is an active data segment that was removed from the module.
type Segment struct {
	// Offset is the address in the memory.
	Offset uint32
	// Bytes is the content, which shares memory with the input.
	Bytes []byte
}

// Global is a mutable global that the module defines.
type Global struct {
	// Export is the name under which the metered module exports it.
	Export string
	// Type is the byte of its value type.
	Type byte
}

// Output is a metered module with the information that a host needs to run it.
type Output struct {
	// Module is the metered module.
	Module []byte
	// Data are the active data segments that were removed, in the order in which they must be written.
	Data []Segment
	// Globals are all mutable globals that the module defines.
	Globals []Global
	// HasStart reports whether the module exports ExportStart.
	HasStart bool
	// Restorable reports whether a copy of the memory and of Globals is the complete state of an instance.
	Restorable bool
	// WhyNot says why the module is not restorable.
	WhyNot string
	// Complexity is the complexity of the most complex function, see body.complexity.
	Complexity uint64
	// CompileCost is an upper bound of the cost of compiling the module, see body.compileCost.
	CompileCost uint64
	// Functions and Instructions count the functions and the instructions of the module.
	Functions, Instructions int
}

// Rewrite meters a module. Errors are those of binary.Parse, or those of RewriteParsed.
func Rewrite(module []byte, o Options) (*Output, error) {
	parsed, err := binary.Parse(module)
	if err != nil {
		return nil, err
	}
	return RewriteParsed(parsed, o)
}

// RewriteParsed meters a module. Errors say which part of the module is not part of core 2.0, is out of bounds, or has
// a reserved name.
func RewriteParsed(parsed *binary.Module, o Options) (*Output, error) {
	m, err := read(parsed, cmp.Or(o.chunk, chunk))
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
