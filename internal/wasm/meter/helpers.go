// SPDX-License-Identifier: Apache-2.0

package meter

// BulkShift defines the cost of moving memory and table elements: one unit of fuel pays for 1<<BulkShift bytes or
// elements.
const BulkShift = 3

// pageShift defines the cost of a page of memory: 1<<pageShift units of fuel.
const pageShift = 16 - BulkShift

// addHelpers writes the functions that metered code calls when a counter is below zero, and those that charge
// instructions whose cost depends on their operands.
func (w *writer) addHelpers() {
	w.slow = w.helper("k1s.slow", w.emptyType, nil,
		code(nil).index(opGlobalGet, w.fuel).index(opGlobalGet, w.stack).index(opCall, w.yield).index(opGlobalSet, w.fuel))

	if w.m.usesBulk {
		// bulk charges the number of bytes or elements in its operand, and returns the operand.
		w.bulk = w.helper("k1s.bulk", w.countType, nil,
			w.charged(nil, func(c code) code { return c.index(opLocalGet, 0) }).index(opLocalGet, 0))
	}
	if w.m.usesFill {
		w.fill = w.ranged(memoryFill)
	}
	if w.m.usesCopy {
		w.copy = w.ranged(memoryCopy)
	}
	w.inits = map[uint32]uint32{}
	for _, segment := range w.m.longInits {
		if _, ok := w.inits[segment]; !ok {
			w.inits[segment] = w.ranged(w.memoryInit(segment))
		}
	}
	if w.m.usesGrow {
		// grow is memory.grow. It charges only if the memory has grown: a failed memory.grow costs nothing.
		w.grow = w.helper("k1s.grow", w.countType, []byte{typeI32},
			w.check(code(nil).index(opLocalGet, 0).op(opMemoryGrow, 0).index(opLocalTee, 1).
				constant(opI32Const, -1).op(opI32Eq, opIf, typeEmpty).constant(opI32Const, -1).op(opReturn, opEnd).
				index(opGlobalGet, w.fuel).index(opLocalGet, 0).op(opI64ExtendU).constant(opI64Const, pageShift).
				op(opI64Shl, opI64Sub).index(opGlobalSet, w.fuel).index(opGlobalGet, w.fuel)).
				index(opLocalGet, 1))
	}
}

// helper adds a function after those of the module, and returns its index.
func (w *writer) helper(name string, typ uint32, locals []byte, c code) uint32 {
	body := appendU32(nil, uint32(len(locals)))
	for _, t := range locals {
		body = append(body, 1, t)
	}
	w.helpers = append(w.helpers, append(body, c.op(opEnd)...))
	w.helperTypes = append(w.helperTypes, typ)
	w.helperNames = append(w.helperNames, name)
	return uint32(w.m.functions() + len(w.helpers))
}
