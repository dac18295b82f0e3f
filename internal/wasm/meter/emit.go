// SPDX-License-Identifier: Apache-2.0

package meter

// declare writes the declarations of the locals of a function, followed by one additional local if its stack is
// counted.
func (w *writer) declare(out []byte, b *body, counted bool) []byte {
	if !counted {
		return append(out, w.m.Bytes[b.start:b.code]...)
	}
	own := newCursor(w.m.Bytes[b.start:b.code])
	out = appendU32(out, own.U32()+1)
	out = append(out, own.Bytes[own.At:]...)
	return append(out, 1, typeI64)
}

// body writes one function: it copies the instructions and replaces those at its events. If the function must restore
// the stack when it returns, its instructions are wrapped in a block with its results, so that branches to the end of
// the function become branches to the end of the block.
func (w *writer) body(out []byte, i int) []byte {
	m := w.m
	b, t := &m.bodies[i], &w.plan[i]
	c := w.enter(w.declare(out, b, t.counted), b, t, b.locals)
	if t.counted {
		c = w.blockType(c.op(opBlock), m.types[m.funcs[i]].results)
	}
	from := b.code
	for _, e := range m.bodyEvents(i) {
		c = append(c, m.Bytes[from:e.at]...)
		from = e.at + uint32(e.length)
		c = w.replace(c, e, t.counted)
	}
	c = append(c, m.Bytes[from:b.end]...)
	if t.counted {
		c = w.leave(c, b.locals).op(opEnd)
	}
	return c
}

// replace writes the replacement for an event.
func (w *writer) replace(c code, e event, wrapped bool) code {
	m := w.m
	same := m.Bytes[e.at : e.at+uint32(e.length)]
	switch e.kind {
	case eventLoop:
		if l := &m.loops[e.arg]; l.header {
			c = w.header(c, l.cost)
		}
	case eventBack, eventBackIf:
		l := &m.loops[e.arg]
		if l.header {
			return append(c, same...)
		}
		label := newCursor(same[1:]).U32()
		c = w.back(c, e.kind, label, l.cost)
	case eventCall, eventRefFunc:
		c = appendU32(c, m.moved(e.arg))
	case eventReturn:
		if !wrapped {
			return c.op(opReturn)
		}
		c = c.index(opBr, e.arg)
	case eventBulk:
		c = c.index(opCall, w.bulk)
	case eventGrow:
		c = c.index(opCall, w.grow)
	case eventFill:
		c = c.index(opCall, w.fill)
	case eventCopy:
		c = c.index(opCall, w.copy)
	case eventInit:
		c = c.index(opCall, w.inits[e.arg])
	}
	return c
}
