// SPDX-License-Identifier: Apache-2.0

package binary

import "fmt"

// Section identifiers of WebAssembly core 2.0, section 5.5.2.
const (
	SectionCustom = iota
	SectionType
	SectionImport
	SectionFunction
	SectionTable
	SectionMemory
	SectionGlobal
	SectionExport
	SectionStart
	SectionElement
	SectionCode
	SectionData
	SectionDataCount
	sectionKinds
)

func sectionName(id byte) string {
	names := [...]string{
		"custom", "type", "import", "function", "table", "memory", "global",
		"export", "start", "element", "code", "data", "data count",
	}
	if int(id) < len(names) {
		return names[id] + " section"
	}
	return fmt.Sprintf("section %d", id)
}

// place returns the position of a section in the required order of sections.
func place(id byte) int {
	if id == SectionDataCount {
		return 2*SectionElement + 1 // between the element and the code section
	}
	return 2 * int(id)
}

// parser holds the state that resolve needs after all sections are read.
type parser struct {
	module *Module
	types  []FuncType
	// funcs holds the type index of each function, imported functions first.
	funcs []uint32
	// imported counts the imports of each kind.
	imported [4]uint32
	// exports holds the index of each export in the index space of its kind.
	exports []uint32
	// defined and bodies count the entries of the function and of the code section.
	defined, bodies uint32
	// last is the position of the previous section.
	last int
	// locals, inits and tableElements are totals that are limited.
	locals, inits, tableElements uint64
}

// section reads one section.
func (p *parser) section(id byte, c *Cursor) {
	switch {
	case id == SectionCustom:
		p.custom(c)
		return
	case id <= SectionDataCount:
	case sectionProposal(id) != "":
		c.Fail(Unsupported(sectionProposal(id), "the section"))
		return
	default:
		c.Failf("unknown section")
		return
	}
	if place(id) <= p.last {
		c.Failf("comes twice, or behind one that must come later")
		return
	}
	p.last = place(id)
	p.content(id, c)
	if left := c.Left(); left > 0 {
		c.Failf("has %d bytes more than it uses", left)
	}
}

func (p *parser) content(id byte, c *Cursor) {
	switch id {
	case SectionType:
		c.counted("types", maxTypes, func() { p.recursiveType(c) })
	case SectionImport:
		c.counted("imports", maxImports, func() { p.imports(c) })
	case SectionFunction:
		p.defined = c.count("functions", maxFunctions)
		for n := p.defined; n > 0 && c.Err == nil; n-- {
			p.function(c)
		}
	case SectionTable:
		c.counted("tables", maxTables, func() { p.module.tables = append(p.module.tables, p.table(c)) })
	case SectionMemory:
		p.memories(c)
	case SectionGlobal:
		c.counted("globals", maxGlobals, func() {
			globalType(c)
			constantExpression(c)
		})
	case SectionExport:
		c.counted("exports", maxExports, func() { p.export(c) })
	case SectionStart:
		p.module.HasStart = true
		c.U32()
	case SectionElement:
		c.counted("element segments", maxElements, func() { p.elements(c) })
	case SectionCode:
		p.bodies = c.count("function bodies", maxFunctions)
		for i := uint32(0); i < p.bodies && c.Err == nil; i++ {
			if p.code(c); c.Err != nil {
				c.Err = fmt.Errorf("function %d: %w", i, c.Err)
			}
		}
	case SectionData:
		c.counted("data segments", maxDataSegments, func() { data(c) })
	default: // SectionDataCount
		c.U32()
	}
}

func (p *parser) custom(c *Cursor) {
	name := c.Name()
	_, known := p.module.Custom[name]
	switch {
	case c.Err != nil:
	case !known:
		p.module.Custom[name] = c.Bytes[c.At:]
		if name == nameSection {
			names(c)
		}
	case name == nameSection:
		c.Failf("a second %q", name)
	}
}
