// SPDX-License-Identifier: Apache-2.0

package meter

import (
	"fmt"
	"strings"
)

// Section identifiers (core 2.0, section 5.5.2).
const (
	sectionCustom = iota
	sectionType
	sectionImport
	sectionFunction
	sectionTable
	sectionMemory
	sectionGlobal
	sectionExport
	sectionStart
	sectionElement
	sectionCode
	sectionData
	sectionDataCount
	sectionKinds
)

// Kinds of imports and exports.
const (
	externFunc = iota
	externTable
	externMemory
	externGlobal
)

type global struct {
	typ     byte
	mutable bool
}

// module is the information about a module that is read before its instructions. Sections that contain function indices
// are encoded again while they are read, because the index of every function that the module defines increases by one.
type module struct {
	raw      []byte
	sections [sectionKinds][]byte // as they are in raw, or nil
	codeAt   int                  // offset of the content of the code section in raw
	names    []byte               // the name section

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

// read reads every section except for the instructions. binary.Parse must have accepted the bytes.
func read(raw []byte, chunk uint32) (*module, error) {
	m := &module{raw: raw, chunk: chunk, dataCount: -1, start: -1, plainData: true}
	for c := (&cursor{b: raw, i: 8}); c.left() > 0; {
		id := c.byte()
		content := c.skip(c.u32())
		if c.err != nil {
			return nil, c.err
		}
		if id == sectionCustom {
			if s := (&cursor{b: content}); s.name() == "name" {
				m.names = content[s.i:]
			}
			continue
		}
		m.sections[id] = content
		if id == sectionCode {
			m.codeAt = c.i - len(content)
		}
	}
	steps := []struct {
		id   int
		what string
		read func(*cursor)
	}{
		{sectionType, "type", m.readTypes},
		{sectionImport, "import", m.readImports},
		{sectionFunction, "function", m.readFunctions},
		{sectionTable, "table", m.readTables},
		{sectionMemory, "memory", m.readMemories},
		{sectionGlobal, "global", m.readGlobals},
		{sectionExport, "export", m.readExports},
		{sectionStart, "start", m.readStart},
		{sectionElement, "element", m.readElements},
		{sectionDataCount, "data count", func(c *cursor) { m.dataCount = int(c.u32()) }},
		{sectionCode, "code", m.readBodies},
		{sectionData, "data", m.readData},
	}
	for _, step := range steps {
		if step.id == sectionTable { // all functions are known from here on
			n := m.functions()
			m.exported, m.declared, m.addressTaken = make([]bool, n), make([]bool, n), make([]bool, n)
		}
		if m.sections[step.id] == nil {
			continue
		}
		c := &cursor{b: m.sections[step.id]}
		step.read(c)
		if c.err != nil {
			return nil, fmt.Errorf("%s section: %w", step.what, c.err)
		}
	}
	return m, nil
}

func (m *module) readTypes(c *cursor) {
	classes := map[string]uint32{}
	c.vector(func() {
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
	c.vector(func() {
		if name := c.name(); name == ImportModule {
			c.failf("imports from %q, which is reserved", name)
		}
		c.name()
		switch kind := c.byte(); kind {
		case externFunc:
			m.importedFuncs = append(m.importedFuncs, c.below(len(m.types), "type"))
		case externTable:
			m.importedTables++
			m.tables = append(m.tables, c.referenceType())
			c.limits()
		case externMemory:
			m.importedMemory = true
			c.limits()
		case externGlobal:
			m.importedGlobals = append(m.importedGlobals, c.globalType())
		}
	})
}

func (c *cursor) globalType() global {
	g := global{typ: c.valueType()}
	mutability := c.byte()
	if mutability > 1 {
		c.failf("mutability 0x%02x of a global", mutability)
	}
	g.mutable = mutability == 1
	return g
}

func (m *module) readFunctions(c *cursor) {
	c.vector(func() { m.funcs = append(m.funcs, c.below(len(m.types), "type")) })
}

func (m *module) readTables(c *cursor) {
	c.vector(func() {
		m.tables = append(m.tables, c.referenceType())
		c.limits()
	})
}

func (m *module) readMemories(c *cursor) {
	c.vector(func() {
		m.memories++
		c.limits()
	})
}

func (m *module) readGlobals(c *cursor) {
	c.vector(func() {
		from := c.i
		g := c.globalType()
		m.newGlobals = append(m.newGlobals, c.b[from:c.i]...)
		m.newGlobals = m.expression(m.newGlobals, c)
		m.globals = append(m.globals, g)
	})
}

func (m *module) readExports(c *cursor) {
	c.vector(func() {
		from := c.i
		if name := c.name(); strings.HasPrefix(name, reserved) {
			c.failf("exports %q, and names that begin with %q are reserved", name, reserved)
		}
		kind := c.byte()
		m.newExports = append(m.newExports, c.b[from:c.i]...)
		index := c.u32()
		if kind == externFunc && int(index) < m.functions() {
			m.exported[index], m.declared[index] = true, true
			index = m.moved(index)
		} else if n := [...]int{m.functions(), len(m.tables), m.allMemories(), m.allGlobals()}[kind&3]; int64(index) >= int64(n) {
			c.failf("export of index %d, but there are %d", index, n)
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
	m.start = int(c.below(m.functions(), "function"))
	if c.err != nil {
		return
	}
	if t := m.typeOf(uint32(m.start)); len(t.params)+len(t.results) > 0 {
		c.failf("the start function has parameters or results")
	}
}

func (m *module) readBodies(c *cursor) {
	c.vector(func() {
		b := c.skip(c.u32())
		m.bodies = append(m.bodies, body{start: uint32(m.codeAt + c.i - len(b)), end: uint32(m.codeAt + c.i)})
	})
}
