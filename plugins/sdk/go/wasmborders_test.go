// SPDX-License-Identifier: Apache-2.0

package k1s_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"
)

// borders returns the imports and exports of a module, each with its signature such as "(i32 i32) (i64)". It can read
// the output of Go's linker, which is a small part of the binary format.
func borders(t *testing.T, module []byte) (imports, exports map[string]string) {
	t.Helper()
	m := wasmReader{T: t, Reader: bytes.NewReader(module)}
	if string(m.bytes(8)) != "\x00asm\x01\x00\x00\x00" {
		t.Fatal("this is no WebAssembly module")
	}
	imports, exports = map[string]string{}, map[string]string{}
	var types, functions []string
	for m.Len() > 0 {
		id := m.byte()
		section := wasmReader{T: t, Reader: bytes.NewReader(m.bytes(m.number()))}
		switch id {
		case 1: // types
			for range section.number() {
				section.byte() // 0x60
				types = append(types, section.types()+" "+section.types())
			}
		case 2: // imports, all of them functions
			for range section.number() {
				name := section.name() + "." + section.name()
				section.byte()
				imports[name] = types[section.number()]
				functions = append(functions, imports[name])
			}
		case 3: // functions
			for range section.number() {
				functions = append(functions, types[section.number()])
			}
		case 7: // exports
			for range section.number() {
				name, kind, index := section.name(), section.byte(), section.number()
				exports[name] = "memory"
				if kind == 0 {
					exports[name] = functions[index]
				}
			}
		}
	}
	return imports, exports
}

type wasmReader struct {
	*testing.T
	*bytes.Reader
}

func (r wasmReader) byte() byte { return r.bytes(1)[0] }

func (r wasmReader) bytes(n int) []byte {
	r.Helper()
	out := make([]byte, n)
	if _, err := io.ReadFull(r.Reader, out); err != nil {
		r.Fatal(err)
	}
	return out
}

func (r wasmReader) number() int {
	r.Helper()
	n, err := binary.ReadUvarint(r.Reader)
	if err != nil {
		r.Fatal(err)
	}
	return int(n)
}

func (r wasmReader) name() string { return string(r.bytes(r.number())) }

func (r wasmReader) types() string {
	var names []string
	for range r.number() {
		name := map[byte]string{0x7f: "i32", 0x7e: "i64", 0x7d: "f32", 0x7c: "f64"}[r.byte()]
		names = append(names, name)
	}
	return "(" + strings.Join(names, " ") + ")"
}
