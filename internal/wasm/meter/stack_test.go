// SPDX-License-Identifier: Apache-2.0

package meter_test

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/tetratelabs/wazero"
)

// TestRewrite_stack runs guests that recurse forever: they must end, and the stack of the engine must not exceed what
// was granted. The engine doubles its stack when it grows, so it allocates less than four times as much as it uses.
func TestRewrite_stack(t *testing.T) {
	// values returns instructions that load values, keep them in locals during the call, and use them after it.
	values := func(n int, load, add []byte) (before, after []byte) {
		for i := range n {
			before = append(before, cat([]byte{0x20, 0}, load, i*16, []byte{0x21}, i+1)...)
			after = append(after, cat([]byte{0x20}, i+1, add)...)
		}
		return before, after
	}
	// operands returns instructions that load operands, which stay on the operand stack during the call.
	operands := func(n int) (before, after []byte) {
		for i := range n {
			before = append(before, cat([]byte{0x20, 0, 0x28, 2}, i*4)...)
			after = append(after, 0x6a)
		}
		return before, after
	}
	call := []byte{0x20, 0, 0x10, 0} // run(parameter)
	guest := func(declared []byte, body ...any) []byte {
		return module(unary, section(funcSection, 1, 0), section(memorySection, 1, []byte{0, 1}), run, section(codeSection, 1, locals(declared, body...)))
	}
	intBefore, intAfter := values(400, []byte{0x28, 2}, []byte{0x6a})
	vecBefore, vecAfter := values(200, []byte{0xfd, 0, 4}, []byte{0xfd, 0x1b, 0, 0x6a})
	opBefore, opAfter := operands(500)
	// Values join at the header of each of many loops, and are live across a call in the loop.
	var loops []byte
	for range 40 {
		loops = append(loops, 0x03, 0x40)
		for i := range 20 {
			loops = append(loops, cat([]byte{0x20}, i+1, []byte{0x41, 1, 0x6a, 0x21}, i+1)...)
		}
		loops = append(loops, cat(call, []byte{0x0d, 0, 0x0b})...)
	}
	for name, m := range map[string][]byte{
		"nothing kept":     guest([]byte{0}, call),
		"locals":           guest(cat(1, 400, byte(i32)), intBefore, call, intAfter),
		"vectors":          guest(cat(1, 200, byte(0x7b)), vecBefore, call, vecAfter),
		"operands":         guest([]byte{0}, opBefore, call, opAfter),
		"loops":            guest(cat(1, 20, byte(i32)), loops, []byte{0x20, 1}),
		"results":          manyResults(),
		"through a table":  throughTable(),
		"chain of statics": staticChain(),
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, wazero.NewRuntimeConfig())
			h.stack = 4 << 20
			mod := metered(t, h, m)
			f := mod.ExportedFunction("run")
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := f.Call(context.Background(), 0)
			runtime.ReadMemStats(&after)
			if !errors.Is(err, errStack) {
				t.Fatalf("ended with %v", err)
			}
			allocated := after.TotalAlloc - before.TotalAlloc
			t.Logf("allocated %d KB of %d KB granted", allocated>>10, h.stack>>10)
			if allocated > uint64(4*h.stack)+1<<20 {
				t.Errorf("allocated %d bytes for a stack of %d", allocated, h.stack)
			}
		})
	}
}

// manyResults returns a module with a recursion whose calls return fifty values, through memory.
func manyResults() []byte {
	results := cat([]byte{0x60, 1, i32}, 50)
	for range 50 {
		results = append(results, i64)
	}
	return module(section(typeSection, 1, results), section(funcSection, 1, 0), run,
		section(codeSection, 1, function([]byte{0x20, 0, 0x10, 0})))
}

// throughTable returns a module with a function that calls itself through a table.
func throughTable() []byte {
	return module(unary, section(funcSection, 1, 0), section(tableSection, 1, []byte{0x70, 0, 1}), run,
		section(elementSection, 1, []byte{0, 0x41, 0, 0x0b, 1, 0}),
		section(codeSection, 1, function([]byte{0x20, 0, 0x41, 0, 0x11, 0, 0})))
}

// staticChain returns a module with functions with large frames that call each other in one cycle.
func staticChain() []byte {
	const n = 200
	bodies, declared := cat(n), cat(n)
	for i := range n {
		var keep, use []byte
		for k := range 20 {
			keep = append(keep, cat([]byte{0x20, 0, 0x28, 2}, k*4)...)
			use = append(use, 0x6a)
		}
		bodies = append(bodies, function(keep, []byte{0x20, 0, 0x10}, (i+1)%n, use)...)
		declared = append(declared, 0)
	}
	return module(unary, section(funcSection, declared), section(memorySection, 1, []byte{0, 1}), run, section(codeSection, bodies))
}

// TestRewrite_stackRestored leaves a function in every possible way: the stack must be restored.
func TestRewrite_stackRestored(t *testing.T) {
	for name, body := range map[string][]byte{
		"at its end":          {0x41, 3},
		"return":              {0x41, 3, 0x0f},
		"return in blocks":    {0x02, 0x40, 0x03, 0x40, 0x41, 3, 0x0f, 0x0b, 0x0b, 0x00},
		"br":                  {0x02, 0x40, 0x41, 3, 0x0c, 1, 0x0b, 0x00},
		"br_if":               {0x41, 3, 0x41, 1, 0x0d, 0},
		"br_table":            {0x02, 0x40, 0x41, 3, 0x41, 0, 0x0e, 1, 1, 1, 0x0b, 0x00},
		"more than it leaves": {0x41, 1, 0x41, 2, 0x41, 3, 0x0f},
	} {
		t.Run(name, func(t *testing.T) {
			// The function calls itself if its parameter is not zero, so that its stack is counted.
			second := []byte{0x20, 0, 0x04, 0x40, 0x41, 0, 0x10, 0, 0x1a, 0x0b}
			h := newHost(t, wazero.NewRuntimeConfig())
			mod := metered(t, h, module(unary, section(funcSection, 1, 0), run, section(codeSection, 1, function(second, body))))
			results, err := mod.ExportedFunction("run").Call(context.Background(), 1)
			if err != nil || results[0] != 3 {
				t.Fatalf("%v, %v", results, err)
			}
			if got := getGlobal(mod, "k1s:stack"); got != h.stack {
				t.Errorf("%d bytes are left of %d", got, h.stack)
			}
		})
	}
}
