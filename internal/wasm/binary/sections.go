// SPDX-License-Identifier: Apache-2.0

package binary

import (
	"errors"
	"fmt"
)

// Section identifiers of WebAssembly core 2.0, section 5.5.2.
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
	if id == sectionDataCount {
		return 2*sectionElement + 1 // between the element and the code section
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
func (p *parser) section(id byte, r *reader) error {
	if id > sectionDataCount {
		if p := sectionProposal(id); p != "" {
			return Unsupported(p, "the section")
		}
		return errors.New("unknown section")
	}
	if id == sectionCustom {
		return p.custom(r)
	}
	if place(id) <= p.last {
		return errors.New("comes twice, or behind one that must come later")
	}
	p.last = place(id)
	if err := p.content(id, r); err != nil {
		return err
	}
	if len(r.b) > 0 {
		return fmt.Errorf("has %d bytes more than it uses", len(r.b))
	}
	return nil
}

func (p *parser) content(id byte, r *reader) (err error) {
	switch id {
	case sectionType:
		return r.vector("types", maxTypes, func() error { return p.recursiveType(r) })
	case sectionImport:
		return r.vector("imports", maxImports, func() error { return p.imports(r) })
	case sectionFunction:
		p.defined, err = r.count("functions", maxFunctions)
		for range p.defined {
			if err == nil {
				err = p.function(r)
			}
		}
		return err
	case sectionTable:
		return p.tables(r)
	case sectionMemory:
		return p.memories(r)
	case sectionGlobal:
		return r.vector("globals", maxGlobals, func() error { return p.global(r) })
	case sectionExport:
		return r.vector("exports", maxExports, func() error { return p.export(r) })
	case sectionStart:
		p.module.HasStart = true
		_, err = r.u32()
		return err
	case sectionElement:
		return r.vector("element segments", maxElements, func() error { return p.elements(r) })
	case sectionCode:
		p.bodies, err = r.count("function bodies", maxFunctions)
		for i := uint32(0); i < p.bodies && err == nil; i++ {
			if err = p.code(r); err != nil {
				err = fmt.Errorf("function %d: %w", i, err)
			}
		}
		return err
	case sectionData:
		return r.vector("data segments", maxDataSegments, func() error { return data(r) })
	default: // sectionDataCount
		_, err = r.u32()
		return err
	}
}

func (p *parser) custom(r *reader) error {
	name, err := r.name()
	if err != nil {
		return err
	}
	if _, ok := p.module.Custom[name]; ok {
		if name == nameSection {
			return fmt.Errorf("a second %q", name)
		}
		return nil
	}
	p.module.Custom[name] = r.b
	if name == nameSection {
		return names(r)
	}
	return nil
}
