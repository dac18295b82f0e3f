// SPDX-License-Identifier: Apache-2.0

package binary

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
)

// most is the largest number that LEB128 with 32 bits can encode.
var most = []byte{0xff, 0xff, 0xff, 0xff, 0x0f}

// TestParse_countsThatCannotBe verifies that counts that are larger than the remaining bytes allow are rejected. Each
// of the modules is a few bytes long and would make the engine allocate gigabytes.
func TestParse_countsThatCannotBe(t *testing.T) {
	t.Parallel()
	with := func(id byte, body ...[]byte) []byte { return module(section(id, slices.Concat(body...)...)) }
	head := func(b ...byte) []byte { return b }
	tests := []struct {
		name string
		in   []byte
	}{
		{"types", with(SectionType, most)},
		{"types of a group", with(SectionType, head(1, 0x4e), most)},
		{"parameters", with(SectionType, head(1, 0x60), most)},
		{"results", with(SectionType, head(1, 0x60, 0), most)},
		{"imports", with(SectionImport, most)},
		{"functions", with(SectionFunction, most)},
		{"tables", with(SectionTable, most)},
		{"elements of a table", with(SectionTable, head(1, 0x70, 0), most)},
		{"elements of an imported table", with(SectionImport, head(1, 0, 0, 1, 0x70, 0), most)},
		{"memories", with(SectionMemory, most)},
		{"globals", with(SectionGlobal, most)},
		{"exports", with(SectionExport, most)},
		{"element segments", with(SectionElement, most)},
		{"functions of an element segment", with(SectionElement, head(1, 1, 0), most)},
		{"expressions of an element segment", with(SectionElement, head(1, 5, 0x70), most)},
		{"function bodies", with(SectionCode, most)},
		{"size of a function body", with(SectionCode, head(1), most)},
		{"groups of locals", with(SectionCode, head(1, 6), most, head(0))},
		{"locals", with(SectionCode, head(1, 8, 1), most, head(0x7f, 0x0b))},
		{"data segments", with(SectionData, most)},
		{"bytes of a data segment", with(SectionData, head(1, 1), most)},
		{"length of a name", with(SectionImport, head(1), most)},
		{"length of a custom section's name", with(SectionCustom, most)},
		{"names of functions", with(SectionCustom, cat("name", byte(1), 5, most))},
		{"functions with names of locals", with(SectionCustom, cat("name", byte(2), 5, most))},
		{"names of locals", with(SectionCustom, cat("name", byte(2), 7, 1, 0, most))},
		{"length of the module's name", with(SectionCustom, cat("name", byte(0), 5, most))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if m, err := Parse(tt.in); err == nil {
				t.Errorf("accepted: %+v", m)
			}
		})
	}
}

// TestParse_limits verifies the limits for modules with enough bytes for their counts.
func TestParse_limits(t *testing.T) {
	t.Parallel()
	repeat := func(n int, entry ...byte) []byte {
		return append(binary.AppendUvarint(nil, uint64(n)), slices.Repeat(entry, n)...)
	}
	// bodies returns n functions with the given number of locals each.
	bodies := func(n, locals int) [][]byte {
		entry := cat(1, locals, byte(0x7f), byte(0x0b))
		return [][]byte{
			oneType, section(SectionFunction, repeat(n, 0)...),
			section(SectionCode, repeat(n, append(binary.AppendUvarint(nil, uint64(len(entry))), entry...)...)...),
		}
	}
	table := func(n int) []byte { return section(SectionTable, cat(2, []byte{0x70, 0}, n, []byte{0x70, 0, 1})...) }
	tests := []struct {
		name     string
		sections [][]byte
		want     string // in the error, or empty
	}{
		{name: "parameters at the limit", sections: [][]byte{section(SectionType, cat(1, byte(0x60), repeat(maxParams, 0x7f), 0)...)}},
		{
			name: "parameters beyond it", want: "more than 1000 parameters",
			sections: [][]byte{section(SectionType, cat(1, byte(0x60), repeat(maxParams+1, 0x7f), 0)...)},
		},
		{
			name: "types in groups", want: "more than 1000000 types",
			sections: [][]byte{section(SectionType, cat(2, byte(0x4e), repeat(maxTypes, 0x60, 0, 0), []byte{0x60, 0, 0})...)},
		},
		{
			name: "imports", want: "more than 1000 imports",
			sections: [][]byte{section(SectionImport, repeat(maxImports+1, 0, 0, 3, 0x7f, 0)...)},
		},
		{name: "globals", want: "more than 100000 globals", sections: [][]byte{section(SectionGlobal, repeat(maxGlobals+1, 0x7f, 0, 0x41, 0, 0x0b)...)}},
		{name: "tables", want: "more than 100 tables", sections: [][]byte{section(SectionTable, repeat(maxTables+1, 0x70, 0, 0)...)}},
		{name: "elements of tables at the limit", sections: [][]byte{table(MaxTableElements - 1)}},
		{name: "elements of tables beyond it", want: "more than 1000000 elements in all tables", sections: [][]byte{table(MaxTableElements)}},
		{name: "elements of segments", want: "more than 1000000 elements in all segments", sections: [][]byte{
			section(SectionElement, cat(2, []byte{1, 0}, repeat(maxElementInits, 0), []byte{1, 0, 1, 0})...),
		}},
		{name: "locals at the limit", sections: bodies(1, maxLocals)},
		{name: "locals beyond it", want: "more than 50000 locals in a function", sections: bodies(1, maxLocals+1)},
		{name: "locals of all functions", want: "more than 20000000 locals in all functions", sections: bodies(maxAllLocals/maxLocals+1, maxLocals)},
		{name: "a large body", want: "more than 7654321 bytes in a function body", sections: [][]byte{
			oneType, oneFunction, section(SectionCode, cat(1, maxBody+1, make([]byte, maxBody+1))...),
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse(module(tt.sections...))
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case tt.want != "" && (!errors.Is(err, ErrLimit) || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want ErrLimit with %q", err, tt.want)
			}
		})
	}
}
