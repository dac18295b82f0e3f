// SPDX-License-Identifier: Apache-2.0

package meter

import "github.com/k1s-io/k1s/internal/wasm/binary"

// Opcodes that this package handles (core 2.0, section 5.4).
const (
	opUnreachable  = 0x00
	opNop          = 0x01
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opDrop         = 0x1a
	opSelect       = 0x1b
	opSelectTyped  = 0x1c
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opTableGet     = 0x25
	opTableSet     = 0x26
	opMemorySize   = 0x3f
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opF32Const     = 0x43
	opF64Const     = 0x44
	opI32Eq        = 0x46
	opI32GtU       = 0x4b
	opI64LeU       = 0x58
	opI64GeS       = 0x59
	opI32Add       = 0x6a
	opI32Sub       = 0x6b
	opI32And       = 0x71
	opI32ShrU      = 0x76
	opI64Add       = 0x7c
	opI64Sub       = 0x7d
	opI64Or        = 0x84
	opI64Shl       = 0x86
	opI64ExtendU   = 0xad
	opRefNull      = 0xd0
	opRefIsNull    = 0xd1
	opRefFunc      = 0xd2
	opGC           = 0xfb
	opMisc         = 0xfc
	opVector       = 0xfd
	opAtomic       = 0xfe
)

// immediate is the kind of the immediates of an instruction.
type immediate byte

const (
	immUnknown immediate = iota // the instruction is not part of core 2.0
	immNone
	immLocal
	immMemory // the alignment and the offset of a load or store
	immI32
	immI64
	imm4
	imm8
	immZero  // the index of the memory, which must be 0
	immOther // control flow and other instructions that need individual treatment
)

// instruction describes an opcode: the kind of its immediates and the number of its results, unless the instruction
// needs individual treatment.
type instruction struct {
	imm     immediate
	results uint8
}

// instructions describes the opcodes of one byte.
var instructions = func() (t [256]instruction) {
	set := func(from, to int, imm immediate, results uint8) {
		for op := from; op <= to; op++ {
			t[op] = instruction{imm, results}
		}
	}
	set(opUnreachable, opElse, immOther, 0)
	set(opNop, opNop, immNone, 0)
	set(opEnd, opCallIndirect, immOther, 0)
	set(opDrop, opDrop, immNone, 0)
	set(opSelect, opSelect, immNone, 1)
	set(opSelectTyped, opSelectTyped, immOther, 1)
	set(opLocalGet, opLocalGet, immLocal, 0)
	set(opLocalSet, opLocalSet, immLocal, 0)
	set(opLocalTee, opLocalTee, immLocal, 0)
	set(opGlobalGet, opTableSet, immOther, 0)
	set(0x28, 0x35, immMemory, 1) // loads
	set(0x36, 0x3e, immMemory, 0) // stores
	set(opMemorySize, opMemorySize, immZero, 1)
	set(opMemoryGrow, opMemoryGrow, immOther, 1)
	set(opI32Const, opI32Const, immI32, 0)
	set(opI64Const, opI64Const, immI64, 0)
	set(opF32Const, opF32Const, imm4, 0)
	set(opF64Const, opF64Const, imm8, 0)
	set(0x45, 0xc4, immNone, 1)
	set(opRefNull, opRefNull, immOther, 1)
	set(opRefIsNull, opRefIsNull, immNone, 1)
	set(opRefFunc, opRefFunc, immOther, 1)
	set(opMisc, opVector, immOther, 0)
	return t
}()

// proposalOf returns the proposal that an opcode beyond core 2.0 belongs to, or "".
func proposalOf(op byte) binary.Proposal {
	switch op {
	case 0x06, 0x07, 0x08, 0x09, 0x0a, 0x18, 0x19, 0x1f: // the legacy and the current form of the proposal
		return binary.ProposalExceptions
	case 0x12, 0x13:
		return binary.ProposalTailCalls
	case 0x14, 0x15, 0xd4, 0xd5, 0xd6:
		return binary.ProposalTypedReferences
	case 0xd3, opGC:
		return binary.ProposalGC
	case 0xe0, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6:
		return binary.ProposalStackSwitching
	case opAtomic:
		return binary.ProposalThreads
	default:
		return ""
	}
}

func (c *cursor) unknown(op byte) {
	if op == opGC && c.Left() > 0 {
		if second := c.U32(); second >= 0x80 && second <= 0xb7 {
			c.Fail(binary.Unsupported(binary.ProposalStringRef, "opcode 0x%02x 0x%02x", op, second))
		}
	}
	c.Fail(binary.Unsupported(proposalOf(op), "opcode 0x%02x", op))
}

func (c *cursor) unknownSecond(prefix byte, op uint32) {
	var p binary.Proposal
	switch {
	case prefix == opMisc && op == 18: // memory.discard
		p = binary.ProposalMemoryControl
	case prefix == opMisc && op >= 19 && op <= 22:
		p = binary.ProposalWideArithmetic
	case prefix == opVector && op >= 0x100 && op <= 0x11f:
		p = binary.ProposalRelaxedSIMD
	}
	c.Fail(binary.Unsupported(p, "opcode 0x%02x 0x%02x", prefix, op))
}
