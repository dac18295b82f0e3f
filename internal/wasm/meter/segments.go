// SPDX-License-Identifier: Apache-2.0

package meter

// readElements reads the element segments. Their form has three bits (core 2.0, section 5.5.12): bit 0 means passive or
// declarative, bit 1 means an explicit table index (or, with bit 0, declarative), and bit 2 means expressions instead
// of function indices.
func (m *module) readElements(c *cursor) {
	c.Vector(func() {
		out := m.newElements
		from := c.At
		form := c.U32()
		active, explicit, expressions := form&1 == 0, form&2 != 0, form&4 != 0
		if active && explicit {
			c.Below(len(m.tables), "table")
		}
		out = append(out, c.Bytes[from:c.At]...)
		if active {
			out = m.expression(out, c)
		}
		if form&3 != 0 {
			kind := c.Byte()
			switch {
			case expressions && !isReference(kind):
				c.unknownType("element type", kind)
			case !expressions && kind != 0:
				c.Failf("elements of kind 0x%02x are not of WebAssembly 2.0", kind)
			}
			out = append(out, kind)
		}
		n := c.U32()
		out = appendU32(out, n)
		for ; n > 0 && c.Err == nil; n-- {
			if expressions {
				out = m.expression(out, c)
				continue
			}
			index := c.Below(m.functions(), "function")
			if c.Err == nil {
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
	c.Vector(func() {
		var d dataSegment
		form := c.U32()
		d.passive = form == 1
		if form == 2 && c.U32() != 0 {
			c.Failf("there is one memory at most")
		}
		if !d.passive {
			if m.allMemories() == 0 {
				c.Failf("active data without a memory")
			}
			d.offset = m.dataOffset(c)
		}
		d.content = c.Take(c.U32())
		m.data = append(m.data, d)
	})
}

// dataOffset reads the offset expression of an active segment. It returns the offset if it is a constant.
func (m *module) dataOffset(c *cursor) uint32 {
	if c.Left() > 0 && c.Bytes[c.At] == opI32Const {
		c.At++
		v := c.Signed(32)
		if c.Left() > 0 && c.Bytes[c.At] == opEnd {
			c.At++
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
