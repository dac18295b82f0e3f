// SPDX-License-Identifier: Apache-2.0

package meter

// The functions in this file write the instruction sequences that count down. Each sequence tests for the common case
// first. At the end of an if, the register allocator of the engine keeps the registers of the arm that it visits first.
// The other arm ends with a call, after which no value is in a register.

// enter charges the instructions outside loops. If the stack is counted, it saves the remaining stack in the local, and
// takes the function's share.
func (w *writer) enter(c code, b *body, t *treatment, local uint32) code {
	c = w.take(c, b.entry)
	if !t.counted {
		return w.check(c.index(opGlobalGet, w.fuel))
	}
	c = c.index(opGlobalGet, w.stack).index(opLocalTee, local)
	c = c.constant(opI64Const, int64(t.stack)).op(opI64Sub).index(opGlobalSet, w.stack)
	return w.check(c.index(opGlobalGet, w.fuel).index(opGlobalGet, w.stack).op(opI64Or))
}

// leave restores the stack from the local.
func (w *writer) leave(c code, local uint32) code {
	return c.index(opLocalGet, local).index(opGlobalSet, w.stack)
}

// back charges an iteration of a loop at a branch to the loop. At that point the values for the next iteration are not
// yet the values of the loop header. If the call to slow needed a register of those, the register allocator would write
// them to memory in every iteration.
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

// header charges an iteration of a loop at its beginning.
func (w *writer) header(c code, cost uint32) code {
	return w.check(w.take(c, cost).index(opGlobalGet, w.fuel))
}

// take subtracts a cost from the fuel.
func (w *writer) take(c code, cost uint32) code {
	return c.index(opGlobalGet, w.fuel).constant(opI64Const, int64(cost)).op(opI64Sub).index(opGlobalSet, w.fuel)
}

// check calls slow if the operand is negative.
func (w *writer) check(c code) code {
	c = c.constant(opI64Const, 0).op(opI64GeS, opIf, typeEmpty, opElse)
	return c.index(opCall, w.slow).op(opEnd)
}
