// SPDX-License-Identifier: Apache-2.0

package binary

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestModule_CapTables(t *testing.T) {
	t.Parallel()
	in := everything()
	before, err := Parse(in)
	if err != nil {
		t.Fatal(err)
	}
	kept := bytes.Clone(in)
	out := before.CapTables().Bytes
	if !bytes.Equal(in, kept) {
		t.Error("the bytes given were changed")
	}
	after, err := Parse(out)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after, cmpopts.IgnoreUnexported(Module{}), cmpopts.IgnoreFields(Module{}, "Bytes")); diff != "" {
		t.Errorf("the rest of the module changed (-before +after)\n%s", diff)
	}
	want := []Limits{
		{Min: 10, Max: MaxTableElements, HasMax: true}, // had no maximum
		{Min: 10, Max: MaxTableElements, HasMax: true}, // had a larger maximum
		{Min: 1, Max: 5, HasMax: true},                 // unchanged, including its initializer
	}
	var got []Limits
	for _, table := range after.tables {
		got = append(got, table.limits)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("limits (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(after, before.CapTables(), cmp.AllowUnexported(Module{}, tableSpan{}, span{})); diff != "" {
		t.Errorf("what CapTables knows of the module (-parsed +capped)\n%s", diff)
	}
	if diff := cmp.Diff(before.tables[2].after, after.tables[2].after); diff != "" {
		t.Errorf("initializer (-want +got)\n%s", diff)
	}
}

func TestModule_CapTables_nothingToDo(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   []byte
	}{
		{"no table section", module(oneType, oneFunction, oneBody)},
		{"no table", module(section(SectionTable, 0))},
		{"a small table", module(section(SectionTable, 1, 0x70, 1, 1, 1))},
		{"a table at the cap", module(section(SectionTable, cat(1, []byte{0x70, 1, 1}, MaxTableElements)...))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, err := Parse(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if out := m.CapTables().Bytes; &out[0] != &tt.in[0] {
				t.Errorf("the module was copied for nothing: % x", out)
			}
		})
	}
}
