// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// Opcodes and types that the generated modules use (core 2.0, sections 5.3 and 5.4).
const (
	opUnreachable = 0x00
	opBlock       = 0x02
	opLoop        = 0x03
	opIf          = 0x04
	opEnd         = 0x0b
	opBranch      = 0x0c
	opBranchIf    = 0x0d
	opBranchTable = 0x0e
	opCall        = 0x10
	opDrop        = 0x1a
	opLocalGet    = 0x20
	opLocalSet    = 0x21
	opI32Const    = 0x41
	opI64Const    = 0x42
	opI64Add      = 0x7c
	noType        = 0x40
	typeI32       = 0x7f
	typeI64       = 0x7e
	typeV128      = 0x7b
	typeFunction  = 0x60
)

// Identifiers of sections (core 2.0, section 5.5.2), in the order of the sections, except for the data count section,
// which comes between the element and the code section.
const (
	sectionCustom = iota
	sectionType
	sectionImport
	sectionFunction
	_
	sectionMemory
	_
	sectionExport
	_
	_
	sectionCode
	sectionData
	sectionDataCount
)

// trickFunction is the index of the function that a hostile call runs, of type () -> ().
const trickFunction = 3

// parts are the sections of a module before they are joined.
type parts struct {
	sections map[byte][]byte
	// customs come after all other sections.
	customs [][]byte
}

// metadataJSON is the metadata of a generated module, in a custom section.
const metadataJSON = `{"name":"made","version":"1","capabilities":["reconcile"],"forTypes":[{"apiVersion":"v1","kind":"ConfigMap"}]}`

// newParts returns the sections of a plugin that replies to "good" with the empty reply. For any other input, it runs a
// trick before it replies. The trick is a function body: locals, instructions, end.
func newParts(trick []byte) *parts {
	reconcile := cat(0, // no locals
		opLocalGet, 1, opI32Const, 4, []byte{0x47, opIf, noType}, // len != 4
		opCall, trickFunction, opEnd,
		opI64Const, 0, opEnd)
	return &parts{
		sections: map[byte][]byte{
			sectionType: cat(4,
				[]byte{typeFunction, 0, 1, typeI32},
				[]byte{typeFunction, 1, typeI32, 1, typeI32},
				[]byte{typeFunction, 2, typeI32, typeI32, 1, typeI64},
				[]byte{typeFunction, 0, 0}),
			sectionFunction: {4, 0, 1, 2, 3},
			sectionMemory:   {1, 0, 1},
			sectionExport: cat(4,
				"memory", 2, 0, "k1s_abi_version", 0, 0, "k1s_alloc", 0, 1, "reconcile", 0, 2),
			sectionCode: cat(4,
				sized([]byte{0, opI32Const, 1, opEnd}),
				sized([]byte{0, opI32Const, 0x80, 0x20, opEnd}), // 4096
				sized(reconcile),
				sized(trick)),
		},
		customs: [][]byte{cat("k1s.metadata", []byte(metadataJSON))},
	}
}

// module joins the sections to a module.
func (p *parts) module() []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	for _, id := range []byte{
		sectionType, sectionImport, sectionFunction, sectionMemory, sectionExport, sectionDataCount, sectionCode, sectionData,
	} {
		if body, ok := p.sections[id]; ok {
			out = append(append(out, id), sized(body)...)
		}
	}
	for _, body := range p.customs {
		out = append(append(out, sectionCustom), sized(body)...)
	}
	return out
}

// made returns a plugin whose trick is a function body.
func made(trick ...any) []byte { return newParts(cat(trick...)).module() }

// changed returns a plugin without a trick, after change has changed its sections.
func changed(change func(*parts)) []byte {
	p := newParts([]byte{0, opEnd})
	change(p)
	return p.module()
}

// cat joins bytes, strings (preceded by their length) and numbers (as unsigned LEB128).
func cat(all ...any) []byte {
	var out []byte
	for _, part := range all {
		switch v := part.(type) {
		case []byte:
			out = append(out, v...)
		case string:
			out = append(out, sized([]byte(v))...)
		case int:
			out = binary.AppendUvarint(out, uint64(v))
		}
	}
	return out
}

// sized returns bytes, preceded by their length.
func sized(body []byte) []byte {
	return append(binary.AppendUvarint(nil, uint64(len(body))), body...)
}

func times(n int, code ...byte) []byte { return bytes.Repeat(code, n) }

// each joins the results of one for all numbers below n.
func each(n int, one func(int) []byte) []byte {
	var out []byte
	for i := range n {
		out = append(out, one(i)...)
	}
	return slices.Clip(out)
}
