// SPDX-License-Identifier: Apache-2.0

package meter

// expression reads a constant expression and appends it to out with adjusted function indices.
func (m *module) expression(out []byte, c *cursor) []byte {
	for c.Err == nil {
		from := c.At
		switch op := c.Byte(); op {
		case opEnd:
			return append(out, op)
		case opI32Const:
			c.SkipLEB(32)
		case opI64Const:
			c.SkipLEB(64)
		case opF32Const:
			c.Take(4)
		case opF64Const:
			c.Take(8)
		case opGlobalGet:
			c.Below(m.allGlobals(), "global")
		case opRefNull:
			c.referenceType()
		case opRefFunc:
			index := c.Below(m.functions(), "function")
			if c.Err != nil {
				return out
			}
			m.declared[index], m.addressTaken[index] = true, true
			out = appendU32(append(out, op), m.moved(index))
			continue
		case opVector:
			if second := c.U32(); second != simdConst {
				c.Failf("instruction 0xfd 0x%02x in a constant expression", second)
			}
			c.Take(16)
		default:
			c.Failf("instruction 0x%02x in a constant expression", op)
		}
		out = append(out, c.Bytes[from:c.At]...)
	}
	return out
}
