// SPDX-License-Identifier: Apache-2.0

package binary

import (
	"bytes"
	"errors"
	"fmt"
)

// ErrNotWasm is returned for bytes that do not begin like a WebAssembly module.
var ErrNotWasm = errors.New("no WebAssembly module: the first bytes are not \"\\0asm\"")

// ErrComponent is returned for a WebAssembly component, which is not a core module.
var ErrComponent = errors.New("a WebAssembly component, not a core module")

// ExternKind is the kind of an import or export.
type ExternKind byte

// Kinds of imports and exports, as the binary format encodes them.
const (
	ExternFunc ExternKind = iota
	ExternTable
	ExternMemory
	ExternGlobal
)

// String returns the name of the kind in the text format.
func (k ExternKind) String() string {
	switch k {
	case ExternFunc:
		return "func"
	case ExternTable:
		return "table"
	case ExternMemory:
		return "memory"
	case ExternGlobal:
		return "global"
	default:
		return fmt.Sprintf("kind %d", byte(k))
	}
}

// FuncType is the type of a function: its parameters and results, each encoded as the byte of a value type.
type FuncType struct {
	Params, Results []byte
}

// Equal reports whether two types are the same.
func (f FuncType) Equal(other FuncType) bool {
	return bytes.Equal(f.Params, other.Params) && bytes.Equal(f.Results, other.Results)
}

// Limits are the limits of a memory (in pages of 64 KiB) or of a table (in elements).
type Limits struct {
	Min, Max uint32
	// HasMax reports whether there is a maximum.
	HasMax bool
}

// Import is an import of a module.
type Import struct {
	Module, Name string
	Kind         ExternKind
	// Func is the type of an imported function.
	Func FuncType
}

// Export is an export of a module.
type Export struct {
	Name string
	Kind ExternKind
	// Func is the type of an exported function.
	Func FuncType
	// Imported reports whether the exported item is itself imported.
	Imported bool
}

// Module describes the interface of a module.
type Module struct {
	Imports []Import
	Exports []Export
	// Memories is the number of memories that the module defines.
	Memories int
	// MinMemoryPages is the initial size of the memory, in pages of 64 KiB.
	MinMemoryPages uint64
	// HasStart reports whether the module has a start function.
	HasStart bool
	// Custom holds the first custom section of each name.
	Custom map[string][]byte

	// Bytes are the bytes of the module.
	Bytes []byte

	// tables are the tables that the module defines.
	tables []tableSpan
	// sections are where the sections are in Bytes, except for custom sections.
	sections [sectionKinds]span
}

// span is where a section is: its identifier is at head, its content from start to end. end is 0 if there is no such
// section.
type span struct{ head, start, end int }

// Section returns the content of a section that is not custom, and its offset in Bytes. The content is nil if there is
// no such section.
func (m *Module) Section(id byte) (content []byte, at int) {
	s := m.sections[id]
	if s.end == 0 {
		return nil, 0
	}
	return m.Bytes[s.start:s.end:s.end], s.start
}

// Export returns the export with the given name.
func (m *Module) Export(name string) (Export, bool) {
	for _, e := range m.Exports {
		if e.Name == name {
			return e, true
		}
	}
	return Export{}, false
}

var (
	magic     = []byte("\x00asm")
	version   = []byte{1, 0, 0, 0}
	component = []byte{1, 0} // the layer, which follows a version of 16 bits
)

// Parse parses a module. Errors are ErrNotWasm or ErrComponent, or name the section that is malformed, exceeds a limit
// (ErrLimit), or uses a proposal (*UnsupportedError).
func Parse(module []byte) (*Module, error) {
	if len(module) < 8 || !bytes.HasPrefix(module, magic) {
		return nil, ErrNotWasm
	}
	switch v := module[4:8]; {
	case bytes.Equal(v[2:], component):
		return nil, ErrComponent
	case !bytes.Equal(v, version):
		return nil, fmt.Errorf("binary format version %d, want 1", uint32(v[0])|uint32(v[1])<<8|uint32(v[2])<<16|uint32(v[3])<<24)
	}
	p := parser{module: &Module{Bytes: module, Custom: map[string][]byte{}}}
	for c := (&Cursor{Bytes: module, At: 8}); c.Left() > 0; {
		where := span{head: c.At}
		id, size := c.Byte(), c.U32()
		if c.Err != nil {
			return nil, fmt.Errorf("size of %s: %w", sectionName(id), c.Err)
		}
		if left := c.Left(); uint64(size) > uint64(left) {
			return nil, fmt.Errorf("%s: says it has %d bytes, but only %d are left", sectionName(id), size, left)
		}
		where.start = c.At
		content := &Cursor{Bytes: c.Take(size)}
		if p.section(id, content); content.Err != nil {
			return nil, fmt.Errorf("%s: %w", sectionName(id), content.Err)
		}
		where.end = c.At
		if id != SectionCustom {
			p.module.sections[id] = where
		}
	}
	if err := p.resolve(); err != nil {
		return nil, err
	}
	return p.module, nil
}

// resolve sets the types of imported and exported functions.
func (p *parser) resolve() error {
	if p.defined != p.bodies {
		return fmt.Errorf("%d functions are declared, but %d have a body", p.defined, p.bodies)
	}
	for i, index := range p.funcs {
		if uint64(index) >= uint64(len(p.types)) {
			return fmt.Errorf("function %d has type %d, but there are only %d types", i, index, len(p.types))
		}
	}
	typeOf := func(function uint32) (FuncType, error) {
		if uint64(function) >= uint64(len(p.funcs)) {
			return FuncType{}, errors.New("there is no such function")
		}
		return p.types[p.funcs[function]], nil
	}
	next := 0
	for i := range p.module.Imports {
		if im := &p.module.Imports[i]; im.Kind == ExternFunc {
			im.Func = p.types[p.funcs[next]]
			next++
		}
	}
	for i := range p.module.Exports {
		ex := &p.module.Exports[i]
		ex.Imported = p.exports[i] < p.imported[ex.Kind]
		if ex.Kind != ExternFunc {
			continue
		}
		t, err := typeOf(p.exports[i])
		if err != nil {
			return fmt.Errorf("export %q: %w", short(ex.Name), err)
		}
		ex.Func = t
	}
	return nil
}
