// SPDX-License-Identifier: Apache-2.0

package binary

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParse_everything(t *testing.T) {
	t.Parallel()
	m, err := Parse(everything())
	if err != nil {
		t.Fatal(err)
	}
	toReply := FuncType{Params: []byte{0x7f, 0x7f}, Results: []byte{0x7e}}
	want := &Module{
		Imports: []Import{
			{Module: "k1s", Name: "k1s_client_get", Kind: ExternFunc, Func: toReply},
			{Module: "env", Name: "table", Kind: ExternTable},
			{Module: "env", Name: "memory", Kind: ExternMemory},
			{Module: "env", Name: "global", Kind: ExternGlobal},
		},
		Exports: []Export{
			{Name: "memory", Kind: ExternMemory},
			{Name: "reconcile", Kind: ExternFunc, Func: toReply},
			{Name: "again", Kind: ExternFunc, Func: toReply, Imported: true},
			{Name: "table", Kind: ExternTable, Imported: true},
			{Name: "global", Kind: ExternGlobal},
		},
		Memories:       1,
		MinMemoryPages: 2,
		HasStart:       true,
	}
	if diff := cmp.Diff(want, m, cmpopts.IgnoreUnexported(Module{}), cmpopts.IgnoreFields(Module{}, "Custom", "Bytes")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := string(m.Custom["k1s.metadata"]); got != "{}" {
		t.Errorf("the first section of a name is the one that counts, got %q", got)
	}
}

func TestParse_malformed(t *testing.T) {
	t.Parallel()
	minimal := func(sections ...[]byte) []byte { return module(slices.Concat([][]byte{oneType}, sections)...) }
	tests := []struct {
		name   string
		reason string
		in     []byte
		is     error
		want   string
	}{
		{name: "nothing", reason: "an empty file", is: ErrNotWasm},
		{name: "text", reason: "an HTML error page, say", in: []byte("<html></html>"), is: ErrNotWasm},
		{name: "magic alone", reason: "cut off", in: []byte("\x00asm"), is: ErrNotWasm},
		{name: "component", reason: "its own version number", in: []byte("\x00asm\x0d\x00\x01\x00"), is: ErrComponent},
		{name: "component of another version", reason: "the layer tells", in: []byte("\x00asm\x0a\x00\x01\x00"), is: ErrComponent},
		{name: "another version", reason: "a format to come", in: []byte("\x00asm\x02\x00\x00\x00"), want: "version 2"},
		{name: "section cut off", reason: "says more than there is", in: module([]byte{1, 9, 0}), want: "type section: says it has 9 bytes, but only 1 are left"},
		{name: "section without size", reason: "cut off", in: module([]byte{1}), want: "size of type section"},
		{name: "size too long", reason: "LEB128 of more than 32 bits", in: module([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x7f}), want: "longer than 32 bits"},
		{name: "size without end", reason: "LEB128 that goes on", in: module([]byte{1, 0x80, 0x80, 0x80, 0x80, 0x80, 0}), want: "longer than 32 bits"},
		{name: "unknown section", reason: "a format to come", in: module(section(15)), want: "section 15: unknown"},
		{name: "twice", reason: "what counts must not depend on who reads it", in: module(oneType, oneType), want: "comes twice"},
		{name: "out of order", reason: "as the format demands", in: module(oneFunction, oneType), want: "type section: comes twice, or behind"},
		{name: "data count behind code", reason: "it stands before the code", in: minimal(oneFunction, oneBody, section(SectionDataCount, 0)), want: "data count section: comes"},
		{name: "rest in a section", reason: "the engine must read what was checked", in: module(section(SectionType, 0, 0)), want: "1 bytes more"},
		{name: "type of another form", reason: "a struct, of the GC proposal", in: module(section(SectionType, 1, 0x5f, 0)), want: "form 0x5f"},
		{name: "import of a tag", reason: "a proposal", in: module(section(SectionImport, cat(1, "m", "n", byte(4), 0, 0)...)), want: `import "m" "n"`},
		{name: "import name is not UTF-8", reason: "messages quote it", in: module(section(SectionImport, 1, 1, 0xff, 0, 0)), want: "not UTF-8"},
		{name: "import of an unknown type", reason: "an index of nothing", in: module(section(SectionImport, cat(1, "m", "n", byte(0), 0)...)), want: "function 0 has type 0, but there are only 0 types"},
		{name: "function of an unknown type", reason: "wazero 1.12 panics when another function calls it", in: minimal(section(SectionFunction, 1, 48), oneBody), want: "function 0 has type 48, but there are only 1 types"},
		{name: "export of an unknown function", reason: "an index of nothing", in: minimal(section(SectionExport, cat(1, "f", byte(0), 7)...)), want: `export "f"`},
		{name: "export of an unknown kind", reason: "a proposal", in: minimal(section(SectionExport, cat(1, "f", byte(4), 0)...)), want: `export "f"`},
		{name: "long name", reason: "a message quotes some of it", in: module(section(SectionImport, cat(1, strings.Repeat("é", 1000), "n", byte(5), 0, 0)...)), want: `import "` + strings.Repeat("é", 64) + `…" "n"`},
		{name: "two memories", reason: "a proposal", in: module(section(SectionMemory, 2, 0, 1, 0, 1)), want: "memories"},
		{name: "64-bit memory", reason: "a proposal", in: module(section(SectionMemory, 1, 4, 1)), want: "form 0x04"},
		{name: "function without body", reason: "code section is missing", in: minimal(oneFunction), want: "1 functions are declared, but 0 have a body"},
		{name: "body without function", reason: "function section is missing", in: minimal(oneBody), want: "0 functions are declared"},
		{name: "body cut off", reason: "says more than there is", in: minimal(oneFunction, section(SectionCode, 1, 9, 0)), want: "code section: function 0: unexpected end"},
		{name: "table of another form", reason: "0x40 goes with 0x00", in: module(section(SectionTable, 1, 0x40, 1, 0x70, 0, 0)), want: "unknown form"},
		{name: "element segment of another form", reason: "three bits are defined", in: module(section(SectionElement, 1, 8)), want: "form 8"},
		{name: "data segment of another form", reason: "two bits are defined", in: module(section(SectionData, 1, 3)), want: "form 3"},
		{name: "call in a constant", reason: "not constant", in: module(section(SectionGlobal, 1, 0x7f, 0, 0x10, 0, 0x0b)), want: "instruction 0x10"},
		{name: "vector instruction in a constant", reason: "v128.const alone is constant", in: module(section(SectionGlobal, 1, 0x7b, 0, 0xfd, 0x0d, 0x0b)), want: "0xfd 0x0d"},
		{name: "constant without end", reason: "cut off", in: module(section(SectionGlobal, 1, 0x7f, 0, 0x41, 0)), want: "unexpected end"},
		{name: "number of a constant too long", reason: "LEB128 that goes on", in: module(section(SectionGlobal, 1, 0x7f, 0, 0x41, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 0x0b)), want: "longer than 32 bits"},
		{name: "custom section without name", reason: "cut off", in: module(section(SectionCustom)), want: "custom section: unexpected end"},
		{name: "names cut off", reason: "says more than there is", in: module(section(SectionCustom, cat("name", byte(1), 9)...)), want: "custom section: unexpected end"},
		{name: "names with a rest", reason: "the engine must read what was checked", in: module(section(SectionCustom, cat("name", byte(1), 2, 0, 0)...)), want: "longer than it says"},
		{name: "names twice", reason: "the engine rejects it", in: module(section(SectionCustom, cat("name")...), section(SectionCustom, cat("name")...)), want: `second "name"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, err := Parse(tt.in)
			if err == nil {
				t.Fatalf("%s: got %+v, want an error", tt.reason, m)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("%s: got %v, want %v", tt.reason, err, tt.is)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: got %q, want %q in it", tt.reason, err, tt.want)
			}
		})
	}
}

// TestParse_truncated verifies that a module that is truncated anywhere inside a section is rejected.
func TestParse_truncated(t *testing.T) {
	t.Parallel()
	whole := everything()
	ends := map[int]bool{8: true}
	for c := (&Cursor{Bytes: whole, At: 8}); c.Left() > 0; ends[c.At] = true {
		c.Byte()
		if c.Take(c.U32()); c.Err != nil {
			t.Fatal(c.Err)
		}
	}
	for n := range len(whole) {
		if _, err := Parse(whole[:n:n]); err == nil && !ends[n] {
			t.Errorf("cut off at %d of %d: accepted", n, len(whole))
		}
	}
}
