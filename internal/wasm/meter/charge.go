// SPDX-License-Identifier: Apache-2.0

package meter

// The sequences that count down. Each asks for the usual case first: the engine's register allocator
// takes the registers at the end of an if from the arm it meets first, and the other one ends with a
// call, behind which nothing is in a register.

// enter charges what runs before the first loop, or is not in any, and takes the stack.
func (w *writer) enter(c code, b *body, t *treatment, l locals) code {
	if t.free {
		return c
	}
	switch {
	case t.settles && t.counted: // in advance: others like it may be entered before it settles
		c = w.take(c, quantum)
	case !t.settles:
		c = w.take(c, int64(b.entry))
	}
	switch {
	case t.counted:
		c = c.index(opGlobalGet, w.stack).index(opLocalTee, l.stack)
		c = c.constant(opI64Const, int64(t.stack)).op(opI64Sub).index(opGlobalSet, w.stack)
		c = w.check(c.index(opGlobalGet, w.fuel).index(opGlobalGet, w.stack).op(opI64Or))
	case !t.settles:
		c = w.check(c.index(opGlobalGet, w.fuel))
	}
	if t.settles {
		c = c.constant(opI32Const, quantum-int64(b.entry)).index(opLocalSet, l.counter)
	}
	return c
}

// leave settles the function's own counter, and gives back its stack.
func (w *writer) leave(c code, t *treatment, l locals) code {
	if t.settles {
		c = c.index(opGlobalGet, w.fuel).index(opLocalGet, l.counter).op(opI64ExtendS, opI64Add)
		if !t.counted {
			c = c.constant(opI64Const, quantum).op(opI64Sub)
		}
		c = c.index(opGlobalSet, w.fuel)
		if !t.counted {
			c = w.check(c.index(opGlobalGet, w.fuel))
		}
	}
	if t.counted {
		c = c.index(opLocalGet, l.stack).index(opGlobalSet, w.stack)
	}
	return c
}

// back charges an iteration of a loop where it branches to the loop. There the values that the next
// iteration starts with are not yet those of the loop's head, which the register allocator, if the call
// needs a register of theirs, writes to memory in every iteration.
func (w *writer) back(c code, around *loop, kind eventKind, label uint32, l locals) code {
	if kind == eventBackIf {
		c = c.op(opIf, typeEmpty)
		label++
	}
	c = w.iteration(c, around, l).index(opBrIf, label)
	c = w.settle(c, around, l).index(opBr, label)
	if kind == eventBackIf {
		c = c.op(opEnd)
	}
	return c
}

// header charges an iteration of a loop where it begins.
func (w *writer) header(c code, around *loop, l locals) code {
	c = w.iteration(c, around, l).op(opIf, typeEmpty, opElse)
	return w.settle(c, around, l).op(opEnd)
}

// iteration counts an iteration, and leaves as operand whether it may run.
func (w *writer) iteration(c code, around *loop, l locals) code {
	if around.calls {
		return w.take(c, int64(around.cost)).index(opGlobalGet, w.fuel).constant(opI64Const, 0).op(opI64GeS)
	}
	c = c.index(opLocalGet, l.counter).constant(opI32Const, int64(around.cost)).op(opI32Sub).index(opLocalTee, l.counter)
	return c.constant(opI32Const, 0).op(opI32GeS)
}

// settle is what is done if it may not.
func (w *writer) settle(c code, around *loop, l locals) code {
	if around.calls {
		return c.index(opCall, w.slow)
	}
	return c.index(opLocalGet, l.counter).index(opCall, w.flush).index(opLocalSet, l.counter)
}

// take takes from the fuel.
func (w *writer) take(c code, cost int64) code {
	return c.index(opGlobalGet, w.fuel).constant(opI64Const, cost).op(opI64Sub).index(opGlobalSet, w.fuel)
}

// check calls slow if the operand is below zero.
func (w *writer) check(c code) code {
	c = c.constant(opI64Const, 0).op(opI64GeS, opIf, typeEmpty, opElse)
	return c.index(opCall, w.slow).op(opEnd)
}
