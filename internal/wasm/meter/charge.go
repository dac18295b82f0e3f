// SPDX-License-Identifier: Apache-2.0

package meter

// The sequences that count down. Each asks for the usual case first: the engine's register allocator
// takes the registers at the end of an if from the arm it meets first, and the other one ends with a
// call, behind which nothing is in a register.

// enter charges what is not in a loop, and takes the stack, of which the local keeps what there was.
func (w *writer) enter(c code, b *body, t *treatment, local uint32) code {
	c = w.take(c, b.entry)
	if !t.counted {
		return w.check(c.index(opGlobalGet, w.fuel))
	}
	c = c.index(opGlobalGet, w.stack).index(opLocalTee, local)
	c = c.constant(opI64Const, int64(t.stack)).op(opI64Sub).index(opGlobalSet, w.stack)
	return w.check(c.index(opGlobalGet, w.fuel).index(opGlobalGet, w.stack).op(opI64Or))
}

// leave gives the stack back.
func (w *writer) leave(c code, local uint32) code {
	return c.index(opLocalGet, local).index(opGlobalSet, w.stack)
}

// back charges an iteration of a loop where it branches to the loop. There the values that the next
// iteration begins with are not yet those of the loop's head, which the register allocator, if the call
// needs a register of theirs, writes to memory in every iteration.
func (w *writer) back(c code, kind eventKind, label, cost uint32) code {
	if kind == eventBackIf {
		c = c.op(opIf, typeEmpty)
		label++
	}
	c = w.take(c, cost).index(opGlobalGet, w.fuel).constant(opI64Const, 0).op(opI64GeS).index(opBrIf, label)
	c = c.index(opCall, w.slow).index(opBr, label)
	if kind == eventBackIf {
		c = c.op(opEnd)
	}
	return c
}

// header charges an iteration of a loop where it begins.
func (w *writer) header(c code, cost uint32) code {
	return w.check(w.take(c, cost).index(opGlobalGet, w.fuel))
}

// take takes from the fuel.
func (w *writer) take(c code, cost uint32) code {
	return c.index(opGlobalGet, w.fuel).constant(opI64Const, int64(cost)).op(opI64Sub).index(opGlobalSet, w.fuel)
}

// check calls slow if the operand is below zero.
func (w *writer) check(c code) code {
	c = c.constant(opI64Const, 0).op(opI64GeS, opIf, typeEmpty, opElse)
	return c.index(opCall, w.slow).op(opEnd)
}
