// SPDX-License-Identifier: Apache-2.0

package meter

import (
	"fmt"
	"strings"

	"github.com/k1s-io/k1s/internal/wasm/binary"
)

type global struct {
	typ     byte
	mutable bool
}

// module is the information about a module that is read before its instructions. Sections that contain function indices
// are encoded again while they are read, because the index of every function that the module defines increases by one.
type module struct {
	*binary.Module

	types           []funcType
	importedFuncs   []uint32 // their type indices
	importedGlobals []global
	funcs           []uint32 // type indices of the functions that the module defines
	tables          []byte   // their types, imported tables first
	importedTables  int
	memories        int
	importedMemory  bool
	globals         []global // globals that the module defines
	elements        int
	dataCount       int // -1 if there is no data count section
	start           int // -1 if there is no start function
	data            []dataSegment
	plainData       bool // the offset of every active data segment is a constant
	bodies          []body

	// Flags for each function, imported functions first.
	exported, declared, addressTaken []bool

	newGlobals, newExports, newElements []byte // without their counts
	exportCount                         int

	chunk uint32 // in bytes

	scanned
}

// functions returns the number of functions, including imported ones.
func (m *module) functions() int { return len(m.importedFuncs) + len(m.funcs) }

// typeOf returns the type of a function.
func (m *module) typeOf(function uint32) *funcType {
	if int(function) < len(m.importedFuncs) {
		return &m.types[m.importedFuncs[function]]
	}
	return &m.types[m.funcs[int(function)-len(m.importedFuncs)]]
}

func (m *module) allGlobals() int { return len(m.importedGlobals) + len(m.globals) }

// moved returns the index of a function in the metered module.
func (m *module) moved(function uint32) uint32 {
	if int(function) < len(m.importedFuncs) {
		return function
	}
	return function + 1
}

// read reads every section except for the instructions.
func read(parsed *binary.Module, chunk uint32) (*module, error) {
	m := &module{Module: parsed, chunk: chunk, dataCount: -1, start: -1, plainData: true}
	steps := []struct {
		id   byte
		what string
		read func(*cursor)
	}{
		{binary.SectionType, "type", m.readTypes},
		{binary.SectionImport, "import", m.readImports},
		{binary.SectionFunction, "function", m.readFunctions},
		{binary.SectionTable, "table", m.readTables},
		{binary.SectionMemory, "memory", m.readMemories},
		{binary.SectionGlobal, "global", m.readGlobals},
		{binary.SectionExport, "export", m.readExports},
		{binary.SectionStart, "start", m.readStart},
		{binary.SectionElement, "element", m.readElements},
		{binary.SectionDataCount, "data count", func(c *cursor) { m.dataCount = int(c.U32()) }},
		{binary.SectionCode, "code", m.readBodies},
		{binary.SectionData, "data", m.readData},
	}
	for _, step := range steps {
		if step.id == binary.SectionTable { // all functions are known from here on
			n := m.functions()
			m.exported, m.declared, m.addressTaken = make([]bool, n), make([]bool, n), make([]bool, n)
		}
		content, _ := m.Section(step.id)
		if content == nil {
			continue
		}
		c := newCursor(content)
		step.read(c)
		if c.Err != nil {
			return nil, fmt.Errorf("%s section: %w", step.what, c.Err)
		}
	}
	return m, nil
}

func (m *module) readTypes(c *cursor) {
	classes := map[string]uint32{}
	c.Vector(func() {
		t := c.funcType()
		key := fmt.Sprintf("%s>%s", t.params, t.results)
		class, ok := classes[key]
		if !ok {
			class = uint32(len(classes))
			classes[key] = class
		}
		t.class = class
		m.types = append(m.types, t)
	})
}

func (m *module) readImports(c *cursor) {
	c.Vector(func() {
		if name := c.Name(); name == ImportModule {
			c.Failf("imports from %q, which is reserved", name)
		}
		c.Name()
		switch binary.ExternKind(c.Byte()) {
		case binary.ExternFunc:
			m.importedFuncs = append(m.importedFuncs, c.Below(len(m.types), "type"))
		case binary.ExternTable:
			m.importedTables++
			m.tables = append(m.tables, c.referenceType())
			c.Limits()
		case binary.ExternMemory:
			m.importedMemory = true
			c.Limits()
		case binary.ExternGlobal:
			m.importedGlobals = append(m.importedGlobals, c.globalType())
		}
	})
}

func (c *cursor) globalType() global {
	g := global{typ: c.valueType()}
	mutability := c.Byte()
	if mutability > 1 {
		c.Failf("mutability 0x%02x of a global", mutability)
	}
	g.mutable = mutability == 1
	return g
}

func (m *module) readFunctions(c *cursor) {
	c.Vector(func() { m.funcs = append(m.funcs, c.Below(len(m.types), "type")) })
}

func (m *module) readTables(c *cursor) {
	c.Vector(func() {
		m.tables = append(m.tables, c.referenceType())
		c.Limits()
	})
}

func (m *module) readMemories(c *cursor) {
	c.Vector(func() {
		m.memories++
		c.Limits()
	})
}

func (m *module) readGlobals(c *cursor) {
	c.Vector(func() {
		from := c.At
		g := c.globalType()
		m.newGlobals = append(m.newGlobals, c.Bytes[from:c.At]...)
		m.newGlobals = m.expression(m.newGlobals, c)
		m.globals = append(m.globals, g)
	})
}

func (m *module) readExports(c *cursor) {
	c.Vector(func() {
		from := c.At
		if name := c.Name(); strings.HasPrefix(name, reserved) {
			c.Failf("exports %q, and names that begin with %q are reserved", name, reserved)
		}
		kind := binary.ExternKind(c.Byte())
		m.newExports = append(m.newExports, c.Bytes[from:c.At]...)
		index := c.U32()
		if kind == binary.ExternFunc && int(index) < m.functions() {
			m.exported[index], m.declared[index] = true, true
			index = m.moved(index)
		} else if n := [...]int{m.functions(), len(m.tables), m.allMemories(), m.allGlobals()}[kind&3]; int64(index) >= int64(n) {
			c.Failf("export of index %d, but there are %d", index, n)
		}
		m.newExports = appendU32(m.newExports, index)
		m.exportCount++
	})
}

func (m *module) allMemories() int {
	if m.importedMemory {
		return m.memories + 1
	}
	return m.memories
}

func (m *module) readStart(c *cursor) {
	m.start = int(c.Below(m.functions(), "function"))
	if c.Err != nil {
		return
	}
	if t := m.typeOf(uint32(m.start)); len(t.params)+len(t.results) > 0 {
		c.Failf("the start function has parameters or results")
	}
}

func (m *module) readBodies(c *cursor) {
	_, at := m.Section(binary.SectionCode)
	c.Vector(func() {
		b := c.Take(c.U32())
		m.bodies = append(m.bodies, body{start: uint32(at + c.At - len(b)), end: uint32(at + c.At)})
	})
}
