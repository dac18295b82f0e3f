// SPDX-License-Identifier: Apache-2.0

package meter_test

// generator creates valid modules from the bytes of a fuzzer: functions with all forms of control flow over i32 locals,
// a memory, mutable globals, and a table through which they call each other. When no bytes are left, it ends the
// functions that it has started.
type generator struct {
	b      []byte
	budget int // number of statements that can still be generated
	// functions is the number of functions. results is the number of results of the last call.
	functions int
	results   int
	blocks    []int // results of the surrounding labels, the innermost last; -1 for a loop
	code      []byte
}

const (
	genTypes  = 6 // (i32)->(), ->(i32), ->(i32 i32), and blocks: ()->(i32 i32), (i32)->(i32), (i32 i32)->(i32)
	genLocals = 4
)

func (g *generator) next(n int) int {
	if len(g.b) == 0 {
		return 0
	}
	v := int(g.b[0]) % n
	g.b = g.b[1:]
	return v
}

func (g *generator) emit(parts ...any) { g.code = append(g.code, cat(parts...)...) }

// generate returns a module with the exports f0, f1, ….
func generate(b []byte) []byte {
	g := &generator{b: b, budget: 400}
	g.functions = 1 + g.next(5)
	types := make([]int, g.functions)
	for i := range types {
		types[i] = g.next(3)
	}
	declared, exports, elements, bodies := cat(g.functions), cat(g.functions+1), cat(1, []byte{0, 0x41, 0, 0x0b}, g.functions), cat(g.functions)
	for i, t := range types {
		declared = append(declared, byte(t))
		exports = append(exports, cat("f"+string(rune('0'+i)), []byte{0}, i)...)
		elements = append(elements, byte(i))
		g.code, g.blocks, g.results = nil, []int{t}, t
		g.budget = 100
		g.statements(types, 0)
		for range t {
			g.value(types, 0)
		}
		bodies = append(bodies, locals(cat(1, genLocals-1, byte(i32)), g.code)...)
	}
	exports = append(exports, cat("memory", []byte{2, 0})...)
	return module(
		section(typeSection, genTypes, []byte{0x60, 1, i32, 0}, []byte{0x60, 1, i32, 1, i32}, []byte{0x60, 1, i32, 2, i32, i32},
			[]byte{0x60, 0, 2, i32, i32}, []byte{0x60, 1, i32, 1, i32}, []byte{0x60, 2, i32, i32, 1, i32}),
		section(funcSection, declared), section(tableSection, 1, []byte{0x70, 0}, g.functions+1), section(memorySection, 1, []byte{1, 1, 3}),
		section(globalSection, 2, []byte{i32, 1, 0x41, 5, 0x0b}, []byte{i32, 1, 0x41, 6, 0x0b}),
		section(exportSection, exports), section(elementSection, elements), section(countSection, 2),
		section(codeSection, bodies), section(dataSection, 2, []byte{0, 0x41, 3, 0x0b}, "active data", []byte{1}, "passive data"),
	)
}

func (g *generator) statements(types []int, depth int) {
	for n := g.next(6); n > 0 && g.budget > 0; n-- {
		g.budget--
		g.statement(types, depth)
	}
}

func (g *generator) statement(types []int, depth int) {
	kind := g.next(16)
	if depth > 5 && kind >= 8 {
		kind %= 8
	}
	switch kind {
	case 0, 1:
		g.value(types, depth+1)
		g.emit([]byte{0x21, byte(g.next(genLocals))})
	case 2:
		g.value(types, depth+1)
		g.emit([]byte{0x24, byte(g.next(2))})
	case 3: // store
		g.address(types, depth+1)
		g.value(types, depth+1)
		g.emit([]byte{0x36, 2, 0})
	case 4: // memory.fill, copy or init
		g.address(types, depth+1)
		g.emit([]byte{0x41, 2, 0x41, byte(g.next(12))})
		g.emit([][]byte{{0xfc, 11, 0}, {0xfc, 10, 0, 0}, {0xfc, 8, 1, 0}}[g.next(3)])
	case 5:
		g.call(types, depth)
		for range g.results {
			g.emit([]byte{0x1a})
		}
	case 6:
		g.branch(types, depth)
	case 7:
		g.emit([]byte{0x01})
	case 8, 9, 10: // loop, which ends when a local is zero
		local := byte(g.next(genLocals))
		g.emit([]byte{0x03, 0x40})
		g.blocks = append(g.blocks, -1)
		g.statements(types, depth+1)
		g.emit([]byte{0x20, local, 0x41, 1, 0x6b, 0x22, local, 0x41, 7, 0x71, 0x0d, 0, 0x0b})
		g.pop()
	case 11: // block
		g.emit([]byte{0x02, 0x40})
		g.blocks = append(g.blocks, 0)
		g.statements(types, depth+1)
		g.emit([]byte{0x0b})
		g.pop()
	case 12: // if
		g.value(types, depth+1)
		g.emit([]byte{0x04, 0x40})
		g.blocks = append(g.blocks, 0)
		g.statements(types, depth+1)
		if g.next(2) == 1 {
			g.emit([]byte{0x05})
			g.statements(types, depth+1)
		}
		g.emit([]byte{0x0b})
		g.pop()
	case 13: // block with two results
		g.emit([]byte{0x02, 3})
		g.blocks = append(g.blocks, 2)
		g.statements(types, depth+1)
		g.value(types, depth+1)
		g.value(types, depth+1)
		g.emit([]byte{0x0b, 0x6a, 0x21, byte(g.next(genLocals))})
		g.pop()
	case 14: // loop with an operand
		g.value(types, depth+1)
		g.emit([]byte{0x03, 4})
		g.emit([]byte{0x41, 1, 0x6b, 0x22, 0, 0x20, 0, 0x41, 3, 0x71, 0x0d, 0, 0x0b, 0x1a})
	case 15: // memory.grow
		g.emit([]byte{0x41, byte(g.next(3)), 0x40, 0, 0x21, byte(g.next(genLocals))})
	}
}

func (g *generator) pop() { g.blocks = g.blocks[:len(g.blocks)-1] }

// branch generates one of the branch instructions, which leaves a block or continues a loop.
func (g *generator) branch(types []int, depth int) {
	label := g.next(len(g.blocks))
	results := g.blocks[len(g.blocks)-1-label]
	n := max(results, 0)
	switch g.next(4) {
	case 0:
		for range n {
			g.value(types, depth+1)
		}
		g.value(types, depth+1)
		g.emit([]byte{0x0d}, label)
		for range n {
			g.emit([]byte{0x1a})
		}
	case 1: // br in an if, so that instructions follow
		g.value(types, depth+1)
		g.emit([]byte{0x04, 0x40})
		for range n {
			g.value(types, depth+1)
		}
		g.emit([]byte{0x0c}, label+1, []byte{0x0b})
	case 2:
		g.value(types, depth+1)
		g.emit([]byte{0x04, 0x40})
		for range g.blocks[0] {
			g.value(types, depth+1)
		}
		g.emit([]byte{0x0f, 0x0b})
	case 3: // br_table in a block, to the block and to the label
		g.emit([]byte{0x02, 0x40})
		if n == 0 {
			g.value(types, depth+1)
			g.emit([]byte{0x0e, 2, 0}, label+1, []byte{0})
		}
		g.emit([]byte{0x0b})
	}
}

// call generates a call of a function, and sets results to the number of its results.
func (g *generator) call(types []int, depth int) {
	f := g.next(len(types))
	g.value(types, depth+1)
	if g.next(2) == 0 {
		g.emit([]byte{0x10}, f)
	} else { // call_indirect, which may trap
		g.emit([]byte{0x41, byte(g.next(len(types) + 2)), 0x11, byte(types[f]), 0})
	}
	g.results = types[f]
}

func (g *generator) address(types []int, depth int) {
	g.value(types, depth)
	g.emit([]byte{0x41, 0xff, 0x00, 0x71}) // the first 128 bytes
}

func (g *generator) value(types []int, depth int) {
	kind := g.next(10)
	if depth > 6 || g.budget <= 0 {
		kind %= 3
	}
	g.budget--
	switch kind {
	case 0:
		g.emit([]byte{0x41, byte(g.next(64))})
	case 1:
		g.emit([]byte{0x20, byte(g.next(genLocals))})
	case 2:
		g.emit([]byte{0x23, byte(g.next(2))})
	case 3:
		g.value(types, depth+1)
		g.emit([]byte{0x22, byte(g.next(genLocals))})
	case 4, 5:
		g.value(types, depth+1)
		g.value(types, depth+1)
		g.emit([]byte{[]byte{0x6a, 0x6b, 0x6c, 0x71, 0x73, 0x48, 0x6d}[g.next(7)]})
	case 6:
		g.address(types, depth+1)
		g.emit([]byte{0x28, 2, 0})
	case 7:
		g.call(types, depth)
		switch g.results {
		case 0:
			g.emit([]byte{0x41, 1})
		case 2:
			g.emit([]byte{0x6a})
		}
	case 8: // if with a result
		g.value(types, depth+1)
		g.emit([]byte{0x04, i32})
		g.blocks = append(g.blocks, 1)
		g.value(types, depth+1)
		g.emit([]byte{0x05})
		g.value(types, depth+1)
		g.emit([]byte{0x0b})
		g.pop()
	case 9:
		g.emit([]byte{0x3f, 0})
	}
}
