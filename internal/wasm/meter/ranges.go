// SPDX-License-Identifier: Apache-2.0

package meter

// chunk is the maximum number of bytes that one instruction moves. The host cannot preempt an instruction, and may have
// to allocate a page for each 4 KiB. It is a multiple of 1<<BulkShift, so that the chunks of a range cost as much as
// the range.
const chunk = 64 << 10

// rangeInstruction is an instruction on a range of memory. It has three i32 operands: the beginning of the range, the
// source or the value of the bytes, and the number of bytes.
type rangeInstruction struct {
	name string
	// encoded is its binary encoding.
	encoded []byte
	// source reports whether the second operand is an address, or an offset in a segment.
	source bool
	// size is the length of the source in bytes. 0 means the size of the memory.
	size int64
	// overlaps reports whether the source may overlap the range.
	overlaps bool
}

var (
	memoryFill = rangeInstruction{name: "fill", encoded: []byte{opMisc, miscMemoryFill, 0}}
	memoryCopy = rangeInstruction{name: "copy", encoded: []byte{opMisc, miscMemoryCopy, 0, 0}, source: true, overlaps: true}
)

func (w *writer) memoryInit(segment uint32) rangeInstruction {
	encoded := append(appendU32([]byte{opMisc, miscMemoryInit}, segment), 0)
	return rangeInstruction{name: "init", encoded: encoded, source: true, size: int64(len(w.m.data[segment].content))}
}

// Operands of a rangeInstruction, which are also the parameters of its helper.
const (
	rangeTo = iota
	rangeFrom
	rangeLength
)

// ranged adds a helper function that is called before an instruction on a range of memory, with the operands of the
// instruction. The helper charges for the range and returns the operands. It processes all chunks of a long range
// except the last, in a separate function, so that short ranges do not need a larger stack frame.
func (w *writer) ranged(in rangeInstruction) uint32 {
	operands := func(c code) code {
		return c.index(opLocalGet, rangeTo).index(opLocalGet, rangeFrom).index(opLocalGet, rangeLength)
	}
	long := w.helper("k1s."+in.name+".long", w.rangeType(), nil, operands(w.chunks(in)))
	c := operands(w.isLong(nil).op(opIf, typeEmpty)).index(opCall, long)
	c = c.index(opLocalSet, rangeLength).index(opLocalSet, rangeFrom).index(opLocalSet, rangeTo).op(opEnd)
	c = w.charged(c, func(c code) code { return c.index(opLocalGet, rangeLength) })
	return w.helper("k1s."+in.name, w.rangeType(), nil, operands(c))
}

// chunks processes a range chunk by chunk, except for the last chunk. It does not change a range that is out of bounds,
// so that the instruction itself traps before anything is written.
func (w *writer) chunks(in rangeInstruction) code {
	step := int64(w.chunk)
	cost := func(c code) code { return c.constant(opI32Const, step) }
	c := w.inBounds(nil, in).op(opIf, typeEmpty)
	if in.overlaps {
		// Copying from the end reads bytes before they are overwritten.
		c = c.index(opLocalGet, rangeTo).index(opLocalGet, rangeFrom).op(opI32GtU, opIf, typeEmpty, opLoop, typeEmpty)
		c = w.charged(w.shorten(c), cost)
		for operand := uint32(rangeTo); operand <= rangeFrom; operand++ {
			c = c.index(opLocalGet, operand).index(opLocalGet, rangeLength).op(opI32Add)
		}
		c = w.isLong(append(c.constant(opI32Const, step), in.encoded...)).index(opBrIf, 0).op(opEnd, opElse)
	}
	c = w.charged(c.op(opLoop, typeEmpty), cost)
	c = c.index(opLocalGet, rangeTo).index(opLocalGet, rangeFrom).constant(opI32Const, step)
	c = w.advance(append(c, in.encoded...), rangeTo)
	if in.source {
		c = w.advance(c, rangeFrom)
	}
	c = w.isLong(w.shorten(c)).index(opBrIf, 0).op(opEnd)
	if in.overlaps {
		c = c.op(opEnd)
	}
	return c.op(opEnd)
}

// isLong writes a test whether more than a chunk of the range remains.
func (w *writer) isLong(c code) code {
	return c.index(opLocalGet, rangeLength).constant(opI32Const, int64(w.chunk)).op(opI32GtU)
}

// inBounds writes a test whether the range is within the memory, and its source within bounds.
func (w *writer) inBounds(c code, in rangeInstruction) code {
	memory := func(c code) code { return c.op(opMemorySize, 0, opI64ExtendU).constant(opI64Const, 16).op(opI64Shl) }
	end := func(c code, operand uint32) code {
		return c.index(opLocalGet, operand).op(opI64ExtendU).index(opLocalGet, rangeLength).op(opI64ExtendU, opI64Add)
	}
	c = memory(end(c, rangeTo)).op(opI64LeU)
	switch {
	case !in.source:
		return c
	case in.size > 0:
		c = end(c, rangeFrom).constant(opI64Const, in.size)
	default:
		c = memory(end(c, rangeFrom))
	}
	return c.op(opI64LeU, opI32And)
}

func (w *writer) advance(c code, operand uint32) code {
	return c.index(opLocalGet, operand).constant(opI32Const, int64(w.chunk)).op(opI32Add).index(opLocalSet, operand)
}

func (w *writer) shorten(c code) code {
	return c.index(opLocalGet, rangeLength).constant(opI32Const, int64(w.chunk)).op(opI32Sub).index(opLocalSet, rangeLength)
}

// charged subtracts the cost of the given number of bytes or elements from the fuel, and calls slow if the fuel is used
// up.
func (w *writer) charged(c code, length func(code) code) code {
	c = length(c.index(opGlobalGet, w.fuel)).constant(opI32Const, BulkShift).op(opI32ShrU, opI64ExtendU, opI64Sub)
	return w.check(c.index(opGlobalSet, w.fuel).index(opGlobalGet, w.fuel))
}

// rangeType returns the type of the helper functions of instructions on ranges.
func (w *writer) rangeType() uint32 {
	if w.ranges == 0 {
		w.ranges = w.typ([]byte{typeI32, typeI32, typeI32}, []byte{typeI32, typeI32, typeI32})
	}
	return w.ranges
}
