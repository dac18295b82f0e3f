// SPDX-License-Identifier: Apache-2.0

package binary

import "fmt"

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
		err = p.function(r)
	case ExternTable:
		_, err = p.table(r)
	case ExternMemory:
		_, err = limits(r)
	case ExternGlobal:
		err = globalType(r)
	default:
		if p := externProposal(im.Kind); p != "" {
			return Unsupported(p, "import %q %q of kind %d", short(im.Module), short(im.Name), kind)
		}
		err = fmt.Errorf("unknown %s of import %q %q", im.Kind, short(im.Module), short(im.Name))
	}
	if err != nil {
		return err
	}
	p.imported[im.Kind]++
	p.module.Imports = append(p.module.Imports, im)
	return nil
}

// memories reads the memory section.
func (p *parser) memories(r *reader) error {
	n, err := r.count("memories", maxMemories)
	if err == nil && n > 1 {
		err = Unsupported(ProposalMultiMemory, "a count of %d memories", n)
	}
	for range n {
		if err == nil {
			err = p.memory(r)
		}
	}
	return err
}

// function reads the type index of a function.
func (p *parser) function(r *reader) error {
	index, err := r.u32()
	p.funcs = append(p.funcs, index)
	return err
}

func (p *parser) memory(r *reader) error {
	l, err := limits(r)
	p.module.Memories++
	p.module.MinMemoryPages = uint64(l.Min)
	return err
}

func (p *parser) global(r *reader) error {
	if err := globalType(r); err != nil {
		return err
	}
	return constantExpression(r)
}

func globalType(r *reader) error {
	if _, err := valueType(r); err != nil {
		return err
	}
	_, err := r.byte() // the mutability
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
		if p := externProposal(ExternKind(kind)); p != "" {
			return Unsupported(p, "export %q of kind %d", short(name), kind)
		}
		return fmt.Errorf("unknown %s of export %q", ExternKind(kind), short(name))
	}
	index, err := r.u32()
	if err != nil {
		return err
	}
	p.module.Exports = append(p.module.Exports, Export{Name: name, Kind: ExternKind(kind)})
	p.exports = append(p.exports, index)
	return nil
}
