// SPDX-License-Identifier: Apache-2.0

package binary

import "fmt"

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
func constantExpression(r *reader) error {
	for {
		op, err := r.byte()
		if err != nil {
			return err
		}
		switch op {
		case opEnd:
			return nil
		case opI32Const:
			_, err = r.signed(32)
		case opI64Const:
			_, err = r.signed(64)
		case opF32Const:
			_, err = r.bytes(4)
		case opF64Const:
			_, err = r.bytes(8)
		case opGlobalGet, opRefFunc, opRefNull: // the operand of ref.null is a type byte or an index
			_, err = r.u32()
		case opVector:
			var second byte
			if second, err = r.byte(); err == nil && second != opV128Const {
				return fmt.Errorf("instruction 0x%02x 0x%02x in a constant expression", op, second)
			}
			if err == nil {
				_, err = r.bytes(16)
			}
		default:
			if p := constantProposal(op); p != "" {
				return Unsupported(p, "instruction 0x%02x in a constant expression", op)
			}
			return fmt.Errorf("instruction 0x%02x in a constant expression", op)
		}
		if err != nil {
			return err
		}
	}
}
