// SPDX-License-Identifier: Apache-2.0

package meter_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/k1s-io/k1s/internal/wasm/binary"
	"github.com/k1s-io/k1s/internal/wasm/meter"
)

// metered meters and instantiates a module.
func metered(t *testing.T, h *host, m []byte) api.Module {
	t.Helper()
	h.metered = true
	mod, err := h.instantiate(m, "")
	if err != nil {
		t.Fatal(err)
	}
	return mod
}

var errDeadline = errors.New("deadline")

// recursion returns a module with a function that calls itself as often as its parameter says. The function starts with
// the instructions first.
func recursion(declared []byte, first ...any) []byte {
	body := append(append([]any(nil), first...), []byte{0x20, 0, 0x45, 0x04, 0x40, 0x41, 0, 0x0f, 0x0b, 0x20, 0, 0x41, 1, 0x6b, 0x10, 0, 0x41, 1, 0x6a})
	return module(unary, section(funcSection, 1, 0), run, section(codeSection, 1, locals(declared, body...)))
}

// TestRewrite_stops runs guests that would never end, or not for years: each must yield repeatedly.
func TestRewrite_stops(t *testing.T) {
	memory := section(memorySection, 1, []byte{0, 16})
	one := section(funcSection, 1, 0)
	// A tree of calls without a loop: each function calls the next one twice.
	bodies := cat(41)
	declared := cat(41)
	for i := range 40 {
		bodies = append(bodies, function([]byte{0x10}, i+1, []byte{0x10}, i+1)...)
		declared = append(declared, 0)
	}
	bodies = append(bodies, function()...)
	declared = append(declared, 0)
	for name, m := range map[string][]byte{
		"br":             module(nothing, one, run, section(codeSection, 1, function([]byte{0x03, 0x40, 0x0c, 0, 0x0b}))),
		"br_if":          module(nothing, one, run, section(codeSection, 1, function([]byte{0x03, 0x40, 0x41, 1, 0x0d, 0, 0x0b}))),
		"br_table":       module(nothing, one, run, section(codeSection, 1, function([]byte{0x03, 0x40, 0x41, 1, 0x0e, 1, 0, 0, 0x0b}))),
		"many branches":  module(nothing, one, run, section(codeSection, 1, function([]byte{0x03, 0x40, 0x41, 0, 0x0d, 0, 0x41, 0, 0x0d, 0, 0x0c, 0, 0x0b}))),
		"operand":        module(section(typeSection, 2, []byte{0x60, 0, 0}, []byte{0x60, 1, i32, 0}), one, run, section(codeSection, 1, function([]byte{0x41, 1, 0x03, 1, 0x41, 1, 0x0d, 0, 0x1a, 0x0b}))),
		"outer loop":     module(nothing, one, run, section(codeSection, 1, function([]byte{0x03, 0x40, 0x02, 0x40, 0x03, 0x40, 0x0c, 2, 0x0b, 0x0b, 0x0b}))),
		"loop of calls":  module(nothing, section(funcSection, 2, 0, 0), run, section(codeSection, 2, function([]byte{0x03, 0x40, 0x10, 1, 0x0c, 0, 0x0b}), function([]byte{0x01, 0x01}))),
		"tree of calls":  module(nothing, section(funcSection, declared), run, section(codeSection, bodies)),
		"memory.fill":    module(nothing, one, memory, run, section(codeSection, 1, function([]byte{0x03, 0x40, 0x41, 0, 0x41, 0, 0x41, 0x80, 0x80, 0x3c, 0xfc, 11, 0, 0x0c, 0, 0x0b}))),
		"start function": module(nothing, one, section(startSection, 0), section(codeSection, 1, function([]byte{0x03, 0x40, 0x0c, 0, 0x0b}))),
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, wazero.NewRuntimeConfig())
			h.grant = 1 << 16
			h.after = func(fuel int64) {
				if fuel < -1<<13-100 {
					t.Errorf("ran %d instructions beyond its fuel", -fuel)
				}
				if h.yields == 5 {
					panic(errDeadline)
				}
			}
			h.metered = true
			mod, err := h.instantiate(m, "")
			if err == nil {
				_, err = mod.ExportedFunction("run").Call(context.Background())
			}
			if !errors.Is(err, errDeadline) {
				t.Fatalf("ended with %v", err)
			}
		})
	}
}

// TestRewrite_fuel compares the cost of instructions with docs/adr/0010-metering.md.
func TestRewrite_fuel(t *testing.T) {
	one := section(funcSection, 1, 0)
	memory := section(memorySection, 1, []byte{1, 1, 4})
	for name, c := range map[string]struct {
		module []byte
		arg    uint64
		want   int64
	}{
		"instructions without brackets": {
			module: module(unary, one, run, section(codeSection, 1, function([]byte{0x02, 0x40, 0x01, 0x0b, 0x20, 0, 0x41, 1, 0x6a}))),
			want:   3,
		},
		"both arms": {
			module: module(unary, one, run, section(codeSection, 1, function([]byte{0x20, 0, 0x04, i32, 0x41, 1, 0x05, 0x41, 2, 0x0b}))),
			want:   4,
		},
		"a loop's iterations": { // five of six instructions, and three
			module: module(unary, one, run, section(codeSection, 1, function([]byte{0x03, 0x40, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b, 0x20, 0, 0x41, 1, 0x6a}))),
			arg:    100_000,
			want:   100_000*5 + 3,
		},
		"a call": {
			module: module(unary, section(funcSection, 2, 0, 0), run, section(codeSection, 2,
				function([]byte{0x20, 0, 0x10, 1, 0x10, 1}), function([]byte{0x20, 0, 0x41, 1, 0x6a}))),
			want: 3 + 2*3,
		},
		"host call": {
			module: module(unary, section(importSection, 1, "env", "f", []byte{0, 0}), one, section(exportSection, 1, "run", []byte{0, 1}),
				section(codeSection, 1, function([]byte{0x20, 0, 0x10, 0}))),
			want: 2 + 128,
		},
		"bulk": { // four instructions, the constant, and 6,400 bytes
			module: module(unary, one, memory, run, section(codeSection, 1, function([]byte{0x41, 0, 0x41, 0, 0x41, 0x80, 0x32, 0xfc, 11, 0, 0x41, 0}))),
			want:   5 + 16 + 800,
		},
		"grow": {
			module: module(unary, one, memory, run, section(codeSection, 1, function([]byte{0x20, 0, 0x40, 0}))),
			arg:    2,
			want:   2 + 16 + 2*8192,
		},
		"grow beyond the maximum": {
			module: module(unary, one, memory, run, section(codeSection, 1, function([]byte{0x20, 0, 0x40, 0}))),
			arg:    1 << 20,
			want:   2 + 16,
		},
		"recursion": { // eleven instructions in each of 1,001 calls
			module: recursion([]byte{0}),
			arg:    1000,
			want:   1001 * 11,
		},
		"recursion with a loop": {
			module: recursion([]byte{0}, []byte{0x03, 0x40, 0x41, 0, 0x0d, 0, 0x0b}),
			arg:    1000,
			want:   1001 * 13,
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			h := newHost(t, wazero.NewRuntimeConfig())
			h.stack = 8 << 20
			if _, err := h.runtime.NewHostModuleBuilder("env").NewFunctionBuilder().WithFunc(func(v int32) int32 { return v }).Export("f").Instantiate(ctx); err != nil {
				t.Fatal(err)
			}
			mod := metered(t, h, c.module)
			setGlobal(mod, meter.ExportFuel, 1<<40)
			if _, err := mod.ExportedFunction("run").Call(ctx, c.arg); err != nil {
				t.Fatal(err)
			}
			if got := 1<<40 - getGlobal(mod, meter.ExportFuel); got != c.want {
				t.Errorf("used %d, want %d", got, c.want)
			}
			if got := getGlobal(mod, meter.ExportStack); got != h.stack {
				t.Errorf("%d bytes of stack are left of %d", got, h.stack)
			}
			if h.yields != 0 {
				t.Errorf("yielded %d times with fuel left", h.yields)
			}
		})
	}
}

func TestRewrite_rejects(t *testing.T) {
	code := func(parts ...any) []byte {
		return module(nothing, section(funcSection, 1, 0), section(tableSection, 1, []byte{0x70, 0, 1}), section(memorySection, 1, []byte{0, 1}),
			section(globalSection, 1, []byte{i32, 1, 0x41, 0, 0x0b}), section(codeSection, 1, function(parts...)))
	}
	for name, c := range map[string]struct {
		module []byte
		want   string
	}{
		"the fuel's global":       {code([]byte{0x23, 1, 0x1a}), "global 1"},
		"the counter's local":     {code([]byte{0x20, 0, 0x1a}), "local 0"},
		"a helper":                {code([]byte{0x10, 1}), "function 1"},
		"a helper's reference":    {code([]byte{0xd2, 1, 0x1a}), "function 1"},
		"undeclared reference":    {code([]byte{0xd2, 0, 0x1a}), "not declared"},
		"an added type":           {code([]byte{0x02, 1, 0x0b}), "type 1"},
		"an added type, indirect": {code([]byte{0x41, 0, 0x11, 1, 0}), "type 1"},
		"label":                   {code([]byte{0x0c, 1}), "label 1"},
		"table":                   {code([]byte{0x41, 0, 0x25, 1, 0x1a}), "table 1"},
		"data without a count":    {code([]byte{0xfc, 9, 0}), "data segment 0"},
		"element segment":         {code([]byte{0xfc, 13, 0}), "element segment 0"},
		"else without if":         {code([]byte{0x02, 0x40, 0x05, 0x0b}), "else without if"},
		"behind the end":          {code([]byte{0x0b, 0x01}), "behind the end"},
		"no end":                  {module(nothing, section(funcSection, 1, 0), section(codeSection, 1, 2, []byte{0, 0x01})), "unexpected end"},
		"tail call":               {code([]byte{0x12, 0}), "opcode 0x12 (of the tail call proposal)"},
		"exceptions":              {code([]byte{0x1f, 0x40, 0, 0x0b}), "opcode 0x1f (of the exception handling proposal)"},
		"threads":                 {code([]byte{0xfe, 0x03, 0}), "opcode 0xfe (of the threads proposal)"},
		"garbage collection":      {code([]byte{0xfb, 0x01}), "opcode 0xfb (of the garbage collection proposal)"},
		"relaxed SIMD":            {code([]byte{0xfd, 0x80, 0x02}), "opcode 0xfd 0x100 (of the relaxed SIMD proposal)"},
		"exceptions, at first":    {code([]byte{0x06, 0x40, 0x0b}), "opcode 0x06 (of the exception handling proposal)"},
		"call of a reference":     {code([]byte{0x14, 0}), "opcode 0x14 (of the typed function references proposal)"},
		"equal references":        {code([]byte{0xd3}), "opcode 0xd3 (of the garbage collection proposal)"},
		"strings":                 {code([]byte{0xfb, 0x82, 0x01, 0}), "opcode 0xfb 0x82 (of the reference-typed strings proposal)"},
		"stack switching":         {code([]byte{0xe2, 0}), "opcode 0xe2 (of the stack switching proposal)"},
		"memory control":          {code([]byte{0xfc, 18, 0}), "opcode 0xfc 0x12 (of the memory control proposal)"},
		"block of exceptions":     {code([]byte{0x02, 0x69, 0x0b}), "block type 0x69 (of the exception handling proposal)"},
		"reference in a table":    {module(section(tableSection, 1, []byte{0x64, 0x70, 0, 0})), "reference type 0x64 (of the typed function references proposal)"},
		"elements of a type":      {module(section(elementSection, 1, []byte{5, 0x6e, 0})), "element type 0x6e (of the garbage collection proposal)"},
		"elements of a kind":      {module(section(elementSection, 1, []byte{1, 0x6e, 0})), "elements of kind 0x6e are not"},
		"unassigned SIMD":         {code([]byte{0xfd, 0x9a, 0x01}), "opcode 0xfd 0x9a (unknown)"},
		"wide arithmetic":         {code([]byte{0xfc, 19}), "opcode 0xfc 0x13 (of the wide arithmetic proposal)"},
		"unknown":                 {code([]byte{0x27}), "opcode 0x27 (unknown)"},
		"block type":              {code([]byte{0x02, 0x6e, 0x0b}), "block type 0x6e (of the garbage collection proposal)"},
		"export of ours":          {module(nothing, section(globalSection, 1, []byte{i64, 1, 0x42, 0, 0x0b}), section(exportSection, 1, "k1s:fuel", []byte{3, 0})), `"k1s:fuel"`},
		"import of ours":          {module(nothing, section(importSection, 1, meter.ImportModule, "yield", []byte{0, 0})), meter.ImportModule},
		"export of a helper":      {module(nothing, section(exportSection, 1, "x", []byte{3, 0})), "index 0"},
		"elements":                {module(section(tableSection, 1, []byte{0x70, 0, 1}), section(elementSection, 1, []byte{0, 0x41, 0, 0x0b, 1, 0})), "function 0"},
		"global's initializer":    {module(section(globalSection, 1, []byte{0x70, 0, 0xd2, 0, 0x0b})), "function 0"},
		"start with parameters":   {module(unary, section(funcSection, 1, 0), section(startSection, 0), section(codeSection, 1, function([]byte{0x20, 0}))), "start function"},
		"data without a memory":   {module(section(dataSection, 1, []byte{0, 0x41, 0, 0x0b}, "x")), "without a memory"},
		"value type":              {module(section(typeSection, 1, []byte{0x60, 1, 0x69, 0})), "value type 0x69 (of the exception handling proposal)"},
		"group of types":          {module(section(typeSection, 1, []byte{0x4e, 1, 0x60, 0, 0})), "type form 0x4e (of the garbage collection proposal)"},
		"not wasm":                {[]byte("text"), binary.ErrNotWasm.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := meter.Rewrite(c.module, meter.Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
			if out != nil {
				t.Error("both an output and an error")
			}
		})
	}
}

// everything returns a module with everything that Rewrite has to adjust: imported functions and globals, references,
// data.
func everything(data ...any) []byte {
	return module(
		section(typeSection, 2, []byte{0x60, 0, 0}, []byte{0x60, 0, 1, i32}),
		section(importSection, 2, "env", "f", []byte{0, 0}, "env", "g", []byte{3, i32, 0}),
		section(funcSection, 3, 0, 1, 1),
		section(tableSection, 1, []byte{0x70, 0, 4}),
		section(memorySection, 1, []byte{0, 1}),
		section(globalSection, 3, []byte{i32, 1, 0x23, 0, 0x0b}, []byte{0x70, 0, 0xd2, 2, 0x0b}, []byte{i64, 1, 0x42, 7, 0x0b}),
		section(exportSection, 3, "seven", []byte{0, 2}, "indirect", []byte{0, 3}, "memory", []byte{2, 0}),
		section(startSection, 1),
		section(elementSection, 2, []byte{0, 0x41, 0, 0x0b, 2, 0, 2}, []byte{4, 0x41, 2, 0x0b, 1, 0xd2, 3, 0x0b}),
		section(countSection, 3),
		section(codeSection, 3,
			function([]byte{0x10, 0, 0x41, 42, 0x24, 1, 0x42, 9, 0x24, 3}),
			function([]byte{0x41, 7}),
			function([]byte{0x41, 1, 0x11, 1, 0})),
		section(dataSection, append([]any{3}, data...)...),
		section(0, "name", byte(0), cat(2, byte(1), byte('m')), byte(1), cat(16, 3, 0, "host", 1, "st", 3, "ind"), byte(2), cat(6, 1, 3, 1, 0, "l", byte(0))[:7]),
		section(0, "producers", "x"),
	)
}

func TestRewrite_moves(t *testing.T) {
	ctx := context.Background()
	m := everything([]byte{0, 0x41, 8, 0x0b}, "at eight", []byte{1}, "passive", []byte{2, 0, 0x41, 0xe0, 0, 0x0b}, "at 96")
	out, err := meter.Rewrite(m, meter.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := &meter.Output{
		Data:     []meter.Segment{{Offset: 8, Bytes: []byte("at eight")}, {Offset: 96, Bytes: []byte("at 96")}},
		Globals:  []meter.Global{{Export: "k1s:global:1", Type: i32}, {Export: "k1s:global:3", Type: i64}},
		HasStart: true, Restorable: true, Complexity: 1, CompileCost: 14, Functions: 3, Instructions: 8,
	}
	got := *out
	got.Module = nil
	if diff := cmp.Diff(want, &got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	outside, err := binary.Parse(out.Module)
	if err != nil {
		t.Fatal(err)
	}
	if outside.HasStart {
		t.Error("the start section is still there")
	}

	h := newHost(t, wazero.NewRuntimeConfig())
	called := 0
	if _, err := h.runtime.NewHostModuleBuilder("host").NewFunctionBuilder().WithFunc(func() { called++ }).Export("f").Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := h.instantiate(module(nothing, section(importSection, 1, "host", "f", []byte{0, 0}), section(globalSection, 1, []byte{i32, 0, 0x41, 5, 0x0b}),
		section(exportSection, 2, "f", []byte{0, 0}, "g", []byte{3, 0})), "env"); err != nil {
		t.Fatal(err)
	}
	mod := metered(t, h, m)
	if called != 1 {
		t.Errorf("the start function has called the host %d times", called)
	}
	for name, want := range map[string]uint64{"k1s:global:1": 42, "k1s:global:3": 9} {
		if got := mod.ExportedGlobal(name).Get(); got != want {
			t.Errorf("%s is %d, want %d", name, got, want)
		}
	}
	for _, name := range []string{"seven", "indirect"} {
		if results, err := mod.ExportedFunction(name).Call(ctx); err != nil || results[0] != 7 {
			t.Errorf("%s: %v, %v", name, results, err)
		}
	}
	if got, _ := mod.Memory().Read(8, 8); string(got) != "at eight" {
		t.Errorf("the data are %q", got)
	}
}

func TestRewrite_names(t *testing.T) {
	m := module(nothing, section(importSection, 1, "env", "f", []byte{0, 0}), section(funcSection, 1, 0), section(exportSection, 1, "run", []byte{0, 1}),
		section(codeSection, 1, function([]byte{0x00})),
		section(0, "name", byte(1), cat(14, 2, 0, "host", 1, "guest")[:15]))
	h := newHost(t, wazero.NewRuntimeConfig())
	ctx := context.Background()
	if _, err := h.runtime.NewHostModuleBuilder("env").NewFunctionBuilder().WithFunc(func() {}).Export("f").Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	mod := metered(t, h, m)
	_, err := mod.ExportedFunction("run").Call(ctx)
	if err == nil || !strings.Contains(err.Error(), ".guest(") {
		t.Errorf("the trap does not name the function: %v", err)
	}
	setGlobal(mod, meter.ExportFuel, 0)
	h.after = func(int64) { panic(errDeadline) }
	_, err = mod.ExportedFunction("run").Call(ctx)
	if !errors.Is(err, errDeadline) || !strings.Contains(err.Error(), "k1s.slow") {
		t.Errorf("the trap does not name what was added: %v", err)
	}
}

func TestRewrite_restorable(t *testing.T) {
	one := section(funcSection, 1, 0)
	table := section(tableSection, 1, []byte{0x70, 0, 1})
	memory := section(memorySection, 1, []byte{0, 1})
	elements := section(elementSection, 1, []byte{1, 0, 0})
	code := func(parts ...any) []byte { return section(codeSection, 1, function(parts...)) }
	for name, c := range map[string]struct {
		module []byte
		want   string
	}{
		"plain":           {module(nothing, one, memory, code()), ""},
		"no memory":       {module(nothing, one, code()), "has no memory of its own"},
		"imported memory": {module(nothing, section(importSection, 1, "e", "m", []byte{2, 0, 1}), one, code()), "has no memory of its own"},
		"imported table":  {module(nothing, section(importSection, 1, "e", "t", []byte{1, 0x70, 0, 1}), one, memory, code()), "imports a table"},
		"imported global": {module(nothing, section(importSection, 1, "e", "g", []byte{3, i32, 1}), one, memory, code()), "imports a mutable global"},
		"table.set":       {module(nothing, one, table, memory, code([]byte{0x41, 0, 0xd0, 0x70, 0x26, 0})), "writes to tables"},
		"table.init":      {module(nothing, one, table, memory, elements, code([]byte{0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 12, 0, 0})), "writes to tables"},
		"table.grow":      {module(nothing, one, table, memory, code([]byte{0xd0, 0x70, 0x41, 1, 0xfc, 15, 0, 0x1a})), "writes to tables"},
		"elem.drop":       {module(nothing, one, table, memory, elements, code([]byte{0xfc, 13, 0})), "drops element segments"},
		"data.drop":       {module(nothing, one, memory, section(countSection, 1), code([]byte{0xfc, 9, 0}), section(dataSection, 1, []byte{1}, "x")), "drops data segments"},
		"vector global":   {module(nothing, one, memory, section(globalSection, 1, []byte{0x7b, 1, 0xfd, 12}, make([]byte, 16), []byte{0x0b}), code()), "has mutable globals that are vectors or references"},
		"data at a global": {module(section(importSection, 1, "e", "g", []byte{3, i32, 0}), memory, section(dataSection, 1, []byte{0, 0x23, 0, 0x0b}, "x")),
			"has data whose place is not a constant"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := meter.Rewrite(c.module, meter.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if out.WhyNot != c.want || out.Restorable != (c.want == "") {
				t.Errorf("restorable %t, because it %q; want %q", out.Restorable, out.WhyNot, c.want)
			}
		})
	}
}

// TestRewrite_linear verifies that the size of the output is linear in the size of the input, whatever the input.
func TestRewrite_linear(t *testing.T) {
	shapes := map[string]func(n int) []byte{
		"nested loops": func(n int) []byte {
			var body []byte
			for range n {
				body = append(body, 0x03, 0x40)
			}
			for range n {
				body = append(body, 0x41, 0, 0x0d, 0, 0x0b)
			}
			return module(nothing, section(funcSection, 1, 0), section(codeSection, 1, function(body)))
		},
		"calls": func(n int) []byte {
			var body []byte
			for range n {
				body = append(body, 0x10, 0)
			}
			return module(nothing, section(funcSection, 1, 0), section(codeSection, 1, function(body)))
		},
		"a chain of functions": func(n int) []byte {
			bodies := cat(n)
			declared := cat(n)
			for i := range n {
				bodies = append(bodies, function([]byte{0x10}, min(i+1, n-1))...)
				declared = append(declared, 0)
			}
			return module(nothing, section(funcSection, declared), section(codeSection, bodies))
		},
		"indirect calls": func(n int) []byte {
			bodies, declared, elements := cat(n), cat(n), cat(1, []byte{0, 0x41, 0, 0x0b}, n)
			for i := range n {
				bodies = append(bodies, function([]byte{0x41, 0, 0x11, 0, 0})...)
				declared, elements = append(declared, 0), append(elements, cat(i)...)
			}
			return module(nothing, section(funcSection, declared), section(tableSection, 1, []byte{0x70, 0}, n), section(elementSection, elements), section(codeSection, bodies))
		},
	}
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			size := func(n int) (in, out, bytes int64) {
				m := shape(n)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				o, err := meter.Rewrite(m, meter.Options{})
				runtime.ReadMemStats(&after)
				if err != nil {
					t.Fatal(err)
				}
				return int64(len(m)), int64(len(o.Module)), int64(after.TotalAlloc - before.TotalAlloc)
			}
			in, out, bytes := size(1000)
			in8, out8, bytes8 := size(8000)
			if growth := float64(out8) / float64(out) / (float64(in8) / float64(in)); growth > 1.2 {
				t.Errorf("the output grows %.1f times as fast as the input", growth)
			}
			if growth := float64(bytes8) / float64(bytes) / (float64(in8) / float64(in)); growth > 1.6 {
				t.Errorf("the memory grows %.1f times as fast as the input", growth)
			}
			if out8 > 16*in8 {
				t.Errorf("%d bytes become %d", in8, out8)
			}
		})
	}
}
