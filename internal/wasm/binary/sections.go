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

// parser gathers what has to be put together once all sections are read.
type parser struct {
	module *Module
	types  []FuncType
	// funcs is the type index of each function, imported ones first.
	funcs []uint32
	// imported counts the imports of each kind.
	imported [4]uint32
	// exports is each export's index in the space of its kind.
	exports []uint32
}

func (p *parser) section(id byte, r *reader) error {
	switch id {
	case sectionCustom:
		return p.custom(r)
	case sectionType:
		return r.vector(func() error { return p.funcType(r) })
	case sectionImport:
		return r.vector(func() error { return p.imports(r) })
	case sectionFunction:
		return r.vector(func() error {
			index, err := r.u32()
			p.funcs = append(p.funcs, index)
			return err
		})
	case sectionMemory:
		return r.vector(func() error { return p.memory(r) })
	case sectionExport:
		return r.vector(func() error { return p.export(r) })
	case sectionStart:
		p.module.HasStart = true
	case sectionTable, sectionGlobal, sectionElement, sectionCode, sectionData, sectionDataCount:
	default:
		return errors.New("unknown section")
	}
	return nil
}

func (p *parser) custom(r *reader) error {
	name, err := r.name()
	if err != nil {
		return err
	}
	if _, ok := p.module.Custom[name]; !ok {
		p.module.Custom[name] = r.b
	}
	return nil
}

func (p *parser) funcType(r *reader) error {
	form, err := r.byte()
	if err != nil {
		return err
	}
	if form != 0x60 {
		return fmt.Errorf("type form 0x%02x is not supported", form)
	}
	var t FuncType
	for _, list := range []*[]byte{&t.Params, &t.Results} {
		n, err := r.u32()
		if err != nil {
			return err
		}
		if *list, err = r.bytes(n); err != nil {
			return err
		}
	}
	p.types = append(p.types, t)
	return nil
}

func (p *parser) imports(r *reader) error {
	var im Import
	var err error
	if im.Module, err = r.name(); err != nil {
		return err
	}
	if im.Name, err = r.name(); err != nil {
		return err
	}
	kind, err := r.byte()
	if err != nil {
		return err
	}
	im.Kind = ExternKind(kind)
	switch im.Kind {
	case ExternFunc:
		var index uint32
		index, err = r.u32()
		p.funcs = append(p.funcs, index)
	case ExternTable:
		if _, err = r.byte(); err == nil {
			_, err = r.limits()
		}
	case ExternMemory:
		_, err = r.limits()
	case ExternGlobal:
		_, err = r.bytes(2)
	default:
		err = fmt.Errorf("unknown %s of import %q %q", im.Kind, im.Module, im.Name)
	}
	if err != nil {
		return err
	}
	p.imported[im.Kind]++
	p.module.Imports = append(p.module.Imports, im)
	return nil
}

func (p *parser) memory(r *reader) error {
	minimum, err := r.limits()
	if p.module.Memories == 0 {
		p.module.MinMemoryPages = minimum
	}
	p.module.Memories++
	return err
}

func (p *parser) export(r *reader) error {
	name, err := r.name()
	if err != nil {
		return err
	}
	kind, err := r.byte()
	if err != nil {
		return err
	}
	if ExternKind(kind) > ExternGlobal {
		return fmt.Errorf("unknown %s of export %q", ExternKind(kind), name)
	}
	index, err := r.u32()
	if err != nil {
		return err
	}
	p.module.Exports = append(p.module.Exports, Export{Name: name, Kind: ExternKind(kind)})
	p.exports = append(p.exports, index)
	return nil
}

// resolve puts types to functions.
func (p *parser) resolve() error {
	typeOf := func(function uint32) (FuncType, error) {
		if uint64(function) >= uint64(len(p.funcs)) || uint64(p.funcs[function]) >= uint64(len(p.types)) {
			return FuncType{}, errors.New("refers to a function or type that does not exist")
		}
		return p.types[p.funcs[function]], nil
	}
	next := uint32(0)
	for i := range p.module.Imports {
		im := &p.module.Imports[i]
		if im.Kind != ExternFunc {
			continue
		}
		t, err := typeOf(next)
		if err != nil {
			return fmt.Errorf("import %q %q: %w", im.Module, im.Name, err)
		}
		im.Func = t
		next++
	}
	for i := range p.module.Exports {
		ex := &p.module.Exports[i]
		ex.Imported = p.exports[i] < p.imported[ex.Kind]
		if ex.Kind != ExternFunc {
			continue
		}
		t, err := typeOf(p.exports[i])
		if err != nil {
			return fmt.Errorf("export %q: %w", ex.Name, err)
		}
		ex.Func = t
	}
	return nil
}
