// SPDX-License-Identifier: Apache-2.0

package binary

func (p *parser) imports(c *Cursor) {
	im := Import{Module: c.Name(), Name: c.Name(), Kind: ExternKind(c.Byte())}
	switch im.Kind {
	case ExternFunc:
		p.function(c)
	case ExternTable:
		p.table(c)
	case ExternMemory:
		c.Limits()
	case ExternGlobal:
		globalType(c)
	default:
		if p := externProposal(im.Kind); p != "" {
			c.Fail(Unsupported(p, "import %q %q of kind %d", short(im.Module), short(im.Name), byte(im.Kind)))
		}
		c.Failf("unknown %s of import %q %q", im.Kind, short(im.Module), short(im.Name))
		return
	}
	p.imported[im.Kind]++
	p.module.Imports = append(p.module.Imports, im)
}

// memories reads the memory section.
func (p *parser) memories(c *Cursor) {
	n := c.count("memories", maxMemories)
	if n > 1 {
		c.Fail(Unsupported(ProposalMultiMemory, "a count of %d memories", n))
	}
	for ; n > 0 && c.Err == nil; n-- {
		p.module.Memories++
		p.module.MinMemoryPages = uint64(c.Limits().Min)
	}
}

// function reads the type index of a function.
func (p *parser) function(c *Cursor) { p.funcs = append(p.funcs, c.U32()) }

func globalType(c *Cursor) {
	valueType(c)
	c.Byte() // the mutability
}

func (p *parser) export(c *Cursor) {
	ex := Export{Name: c.Name(), Kind: ExternKind(c.Byte())}
	if ex.Kind > ExternGlobal {
		if p := externProposal(ex.Kind); p != "" {
			c.Fail(Unsupported(p, "export %q of kind %d", short(ex.Name), byte(ex.Kind)))
		}
		c.Failf("unknown %s of export %q", ex.Kind, short(ex.Name))
	}
	p.module.Exports = append(p.module.Exports, ex)
	p.exports = append(p.exports, c.U32())
}
