// SPDX-License-Identifier: Apache-2.0

package binary

// Instructions of constant expressions (core 2.0, section 3.3.10).
const (
	opEnd       = 0x0b
	opGlobalGet = 0x23
	opI32Const  = 0x41
	opI64Const  = 0x42
	opF32Const  = 0x43
	opF64Const  = 0x44
	opRefNull   = 0xd0
	opRefFunc   = 0xd2
	opGC        = 0xfb
	opVector    = 0xfd
	opV128Const = 0x0c // follows opVector
)

// constantExpression skips a constant expression. The engine validates it.
func constantExpression(c *Cursor) {
	for c.Err == nil {
		switch op := c.Byte(); op {
		case opEnd:
			return
		case opI32Const:
			c.SkipLEB(32)
		case opI64Const:
			c.SkipLEB(64)
		case opF32Const:
			c.Take(4)
		case opF64Const:
			c.Take(8)
		case opGlobalGet, opRefFunc, opRefNull: // the operand of ref.null is a type byte or an index
			c.U32()
		case opVector:
			if second := c.Byte(); second != opV128Const {
				c.Failf("instruction 0x%02x 0x%02x in a constant expression", op, second)
			}
			c.Take(16)
		default:
			if p := constantProposal(op); p != "" {
				c.Fail(Unsupported(p, "instruction 0x%02x in a constant expression", op))
			}
			c.Failf("instruction 0x%02x in a constant expression", op)
		}
	}
}
