// SPDX-License-Identifier: Apache-2.0

package meter

// Subsections of the name section (core 2.0, section 7.4.1). The engine ignores others.
const (
	namesModule = iota
	namesFunctions
	namesLocals
)

// names writes the name section, so that the stack trace of a trap has the right function names. All other custom
// sections are removed: those about code would be wrong, and nothing reads the rest in a metered module.
func (w *writer) names() []byte {
	m := w.m
	var module, functions, locals []byte
	c := newCursor(m.Custom["name"])
	for c.Left() > 0 {
		id := c.Byte()
		content := c.Take(c.U32())
		switch id {
		case namesModule:
			module = content
		case namesFunctions:
			functions = content
		case namesLocals:
			locals = content
		}
	}
	out := appendName(nil, "name")
	if module != nil {
		out = appendSection(out, namesModule, module)
	}
	out = appendSection(out, namesFunctions, w.functionNames(functions))
	if locals != nil {
		out = appendSection(out, namesLocals, w.localNames(locals))
	}
	return out
}

// functionNames adjusts function indices and adds the names of the functions that were added.
func (w *writer) functionNames(content []byte) []byte {
	m := w.m
	var out []byte
	n := uint32(0)
	add := func(index uint32, name []byte) {
		out = appendSized(appendU32(out, index), name)
		n++
	}
	yielded := false
	c := newCursor(content)
	if len(content) > 0 {
		c.Vector(func() {
			index := c.U32()
			name := c.Take(c.U32())
			if int64(index) >= int64(m.functions()) {
				return
			}
			if index >= w.yield && !yielded {
				add(w.yield, []byte("k1s.yield"))
				yielded = true
			}
			add(m.moved(index), name)
		})
	}
	if !yielded {
		add(w.yield, []byte("k1s.yield"))
	}
	for i, name := range w.helperNames {
		add(uint32(m.functions()+1+i), []byte(name))
	}
	return append(appendU32(nil, n), out...)
}

// localNames adjusts the indices of the functions whose locals have names.
func (w *writer) localNames(content []byte) []byte {
	var out []byte
	n := uint32(0)
	c := newCursor(content)
	c.Vector(func() {
		index := c.U32()
		from := c.At
		c.Vector(func() {
			c.U32()
			c.Take(c.U32())
		})
		if int64(index) < int64(w.m.functions()) {
			out = append(appendU32(out, w.m.moved(index)), c.Bytes[from:c.At]...)
			n++
		}
	})
	return append(appendU32(nil, n), out...)
}
