// SPDX-License-Identifier: Apache-2.0

package binary

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/k1s-io/k1s/internal/testenv/testfile"
)

// FuzzParse checks that Parse never panics, that it does not read beyond its input, and that capping the tables of a
// module changes nothing else.
func FuzzParse(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(everything())
	f.Add(module(oneType, oneFunction, oneBody))
	fixtures, err := filepath.Glob("../testdata/*.wasm")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range fixtures {
		bytes := testfile.Read(f, name)
		f.Add(bytes)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		kept := bytes.Clone(in)
		m, err := Parse(in)
		if err != nil {
			if m != nil {
				t.Fatalf("both a module and an error: %v", err)
			}
			return
		}
		for _, ex := range m.Exports {
			if got, ok := m.Export(ex.Name); !ok || got.Name != ex.Name {
				t.Fatalf("export %q is not found", ex.Name)
			}
		}
		capped := m.CapTables().Bytes
		if !bytes.Equal(in, kept) {
			t.Fatal("the bytes given were changed")
		}
		second, err := Parse(capped)
		if err != nil {
			t.Fatalf("capped: %v", err)
		}
		if diff := cmp.Diff(m, second, cmpopts.IgnoreUnexported(Module{}), cmpopts.IgnoreFields(Module{}, "Bytes")); diff != "" {
			t.Fatalf("capped (-want +got)\n%s", diff)
		}
		if diff := cmp.Diff(second, m.CapTables(), cmp.AllowUnexported(Module{}, tableSpan{}, span{})); diff != "" {
			t.Fatalf("what CapTables knows of the module (-parsed +capped)\n%s", diff)
		}
		if third := second.CapTables().Bytes; !bytes.Equal(third, capped) {
			t.Fatal("capping twice is not capping once")
		}
	})
}
