// SPDX-License-Identifier: Apache-2.0

package meter_test

import "encoding/binary"

// Sections of a module that a test builds from bytes.
const (
	typeSection    = 1
	importSection  = 2
	funcSection    = 3
	tableSection   = 4
	memorySection  = 5
	globalSection  = 6
	exportSection  = 7
	startSection   = 8
	elementSection = 9
	codeSection    = 10
	dataSection    = 11
	countSection   = 12
)

// module joins sections to a module.
func module(sections ...[]byte) []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	for _, s := range sections {
		out = append(out, s...)
	}
	return out
}

// section returns a section with the content that cat returns for parts.
func section(id byte, parts ...any) []byte {
	body := cat(parts...)
	return append(binary.AppendUvarint([]byte{id}, uint64(len(body))), body...)
}

// function returns a function body: its length, no locals, the instructions, and the end.
func function(parts ...any) []byte {
	return locals([]byte{0}, parts...)
}

// locals returns a function body with declarations of locals.
func locals(declared []byte, parts ...any) []byte {
	body := append(append([]byte(nil), declared...), append(cat(parts...), 0x0b)...)
	return append(binary.AppendUvarint(nil, uint64(len(body))), body...)
}

// cat joins bytes, strings (preceded by their length) and numbers (as LEB128).
func cat(parts ...any) []byte {
	var out []byte
	for _, part := range parts {
		switch v := part.(type) {
		case byte:
			out = append(out, v)
		case []byte:
			out = append(out, v...)
		case string:
			out = binary.AppendUvarint(out, uint64(len(v)))
			out = append(out, v...)
		case int:
			out = binary.AppendUvarint(out, uint64(v))
		}
	}
	return out
}

const (
	i32 = 0x7f
	i64 = 0x7e
)

// Common types and exports.
var (
	// nothing is the type section of (func).
	nothing = section(typeSection, 1, []byte{0x60, 0, 0})
	// unary is the type section of (func (param i32) (result i32)).
	unary = section(typeSection, 1, []byte{0x60, 1, i32, 1, i32})
	// run exports function 0.
	run = section(exportSection, 1, "run", []byte{0, 0})
)
