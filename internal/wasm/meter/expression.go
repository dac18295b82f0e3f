// SPDX-License-Identifier: Apache-2.0

package meter

// expression reads a constant expression and appends it to out with adjusted function indices.
func (m *module) expression(out []byte, c *cursor) []byte {
	for c.err == nil {
		from := c.i
		switch op := c.byte(); op {
		case opEnd:
			return append(out, op)
		case opI32Const:
			c.skipLEB(5)
		case opI64Const:
			c.skipLEB(10)
		case opF32Const:
			c.skip(4)
		case opF64Const:
			c.skip(8)
		case opGlobalGet:
			c.below(m.allGlobals(), "global")
		case opRefNull:
			c.referenceType()
		case opRefFunc:
			index := c.below(m.functions(), "function")
			if c.err != nil {
				return out
			}
			m.declared[index], m.addressTaken[index] = true, true
			out = appendU32(append(out, op), m.moved(index))
			continue
		case opVector:
			if second := c.u32(); second != simdConst {
				c.failf("instruction 0xfd 0x%02x in a constant expression", second)
			}
			c.skip(16)
		default:
			c.failf("instruction 0x%02x in a constant expression", op)
		}
		out = append(out, c.b[from:c.i]...)
	}
	return out
}
