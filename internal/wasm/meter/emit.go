// SPDX-License-Identifier: Apache-2.0

package meter

// locals are those that are added to a function, behind its own.
type locals struct {
	stack   uint32 // i64: what ExportStack was when the function was called
	counter uint32 // i32: the function's own counter
}

// declare writes the declarations of locals: the function's own, and those that are added.
func (w *writer) declare(out []byte, b *body, t *treatment) ([]byte, locals) {
	own := &cursor{b: w.m.raw[b.start:b.code]}
	groups := own.u32()
	var added []byte
	l := locals{stack: b.locals, counter: b.locals}
	if t.counted {
		added = append(added, 1, typeI64)
		groups++
		l.counter++
	}
	if t.settles {
		added = append(added, 1, typeI32)
		groups++
	}
	out = appendU32(out, groups)
	out = append(out, own.b[own.i:]...)
	return append(out, added...), l
}

// body writes one function: its instructions are copied, but for the places of its events. If something
// has to be done when the function returns, its instructions stand in a block with its results, so that
// whatever branched to the function's end branches to the block's.
func (w *writer) body(out []byte, i int) []byte {
	m := w.m
	b, t := &m.bodies[i], &w.plan[i]
	out, l := w.declare(out, b, t)
	c := w.enter(out, b, t, l)
	wrapped := t.settles || t.counted
	if wrapped {
		c = w.blockType(c.op(opBlock), m.types[m.funcs[i]].results)
	}
	from := b.code
	for _, e := range m.bodyEvents(i) {
		c = append(c, m.raw[from:e.at]...)
		from = e.at + uint32(e.length)
		c = w.replace(c, e, wrapped, l)
	}
	c = append(c, m.raw[from:b.end]...)
	if wrapped {
		c = w.leave(c, t, l).op(opEnd)
	}
	return c
}

// replace writes what stands in place of an event.
func (w *writer) replace(c code, e event, wrapped bool, l locals) code {
	m := w.m
	same := m.raw[e.at : e.at+uint32(e.length)]
	switch e.kind {
	case eventLoop:
		if around := &m.loops[e.arg]; around.header {
			c = w.header(c, around, l)
		}
	case eventBack, eventBackIf:
		around := &m.loops[e.arg]
		if around.header {
			return append(c, same...)
		}
		label := (&cursor{b: same, i: 1}).u32()
		c = w.back(c, around, e.kind, label, l)
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
	}
	return c
}
