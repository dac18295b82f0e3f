// SPDX-License-Identifier: Apache-2.0

package meter

// readElements reads the element segments. Their form has three bits (core 2.0, section 5.5.12): bit 0 means passive or
// declarative, bit 1 means an explicit table index (or, with bit 0, declarative), and bit 2 means expressions instead
// of function indices.
func (m *module) readElements(c *cursor) {
	c.vector(func() {
		out := m.newElements
		from := c.i
		form := c.u32()
		active, explicit, expressions := form&1 == 0, form&2 != 0, form&4 != 0
		if active && explicit {
			c.below(len(m.tables), "table")
		}
		out = append(out, c.b[from:c.i]...)
		if active {
			out = m.expression(out, c)
		}
		if form&3 != 0 {
			kind := c.byte()
			switch {
			case expressions && !isReference(kind):
				c.unknownType("element type", kind)
			case !expressions && kind != 0:
				c.failf("elements of kind 0x%02x are not of WebAssembly 2.0", kind)
			}
			out = append(out, kind)
		}
		n := c.u32()
		out = appendU32(out, n)
		for ; n > 0 && c.err == nil; n-- {
			if expressions {
				out = m.expression(out, c)
				continue
			}
			index := c.below(m.functions(), "function")
			if c.err == nil {
				m.declared[index], m.addressTaken[index] = true, true
				out = appendU32(out, m.moved(index))
			}
		}
		m.newElements = out
		m.elements++
	})
}

// dataSegment is a data segment.
type dataSegment struct {
	passive bool
	offset  uint32
	content []byte
}

func (m *module) readData(c *cursor) {
	c.vector(func() {
		var d dataSegment
		form := c.u32()
		d.passive = form == 1
		if form == 2 && c.u32() != 0 {
			c.failf("there is one memory at most")
		}
		if !d.passive {
			if m.allMemories() == 0 {
				c.failf("active data without a memory")
			}
			d.offset = m.dataOffset(c)
		}
		d.content = c.skip(c.u32())
		m.data = append(m.data, d)
	})
}

// dataOffset reads the offset expression of an active segment. It returns the offset if it is a constant.
func (m *module) dataOffset(c *cursor) uint32 {
	if c.left() > 0 && c.b[c.i] == opI32Const {
		c.i++
		v := c.signed(32)
		if c.left() > 0 && c.b[c.i] == opEnd {
			c.i++
			return uint32(v)
		}
	}
	m.plainData = false
	m.expression(nil, c)
	return 0
}

// segments returns the active segments in their order.
func (m *module) segments() []Segment {
	var all []Segment
	for _, d := range m.data {
		if !d.passive {
			all = append(all, Segment{Offset: d.offset, Bytes: d.content})
		}
	}
	return all
}
