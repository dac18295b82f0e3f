// SPDX-License-Identifier: Apache-2.0

package binary

import "encoding/binary"

// module joins sections to a module.
func module(sections ...[]byte) []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	for _, s := range sections {
		out = append(out, s...)
	}
	return out
}

// section returns a section with the given content.
func section(id byte, body ...byte) []byte {
	out := binary.AppendUvarint([]byte{id}, uint64(len(body)))
	return append(out, body...)
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

// Common sections.
var (
	// oneType is the type section of (func (param i32 i32) (result i64)).
	oneType = section(SectionType, 1, 0x60, 2, 0x7f, 0x7f, 1, 0x7e)
	// oneFunction declares a function of type 0, and oneBody is its body.
	oneFunction = section(SectionFunction, 1, 0)
	oneBody     = section(SectionCode, 1, 4, 0, 0x42, 0, 0x0b)
)

// everything returns a module with all sections, in several of their forms.
func everything() []byte {
	return module(
		section(SectionCustom, cat("k1s.metadata", []byte("{}"))...),
		section(SectionType, cat(3,
			[]byte{0x60, 2, 0x7f, 0x7f, 1, 0x7e},
			[]byte{0x4e, 2, 0x60, 0, 0, 0x60, 1, 0x63, 0x70, 1, 0x63, 0x6f}, // a group of two; funcref and externref in long form
			[]byte{0x60, 1, 0x64, 0, 0},                                     // a reference to type 0
		)...),
		section(SectionImport, cat(4,
			"k1s", "k1s_client_get", byte(ExternFunc), 0,
			"env", "table", byte(ExternTable), []byte{0x70, 0, 1},
			"env", "memory", byte(ExternMemory), []byte{1, 1, 2},
			"env", "global", byte(ExternGlobal), []byte{0x7f, 0},
		)...),
		section(SectionFunction, 2, 0, 1),
		section(SectionTable, cat(3,
			[]byte{0x70, 0}, 10,
			[]byte{0x70, 1}, 10, 2_000_000,
			[]byte{0x40, 0, 0x70, 1}, 1, 5, []byte{0xd0, 0x70, 0x0b},
		)...),
		section(SectionMemory, 1, 1, 2, 3),
		section(SectionGlobal, cat(4,
			[]byte{0x7f, 1, 0x41, 0x80, 0x80, 0x80, 0x80, 0x78, 0x0b}, // i32.const -2^31
			[]byte{0x7e, 0, 0x42, 0x7f, 0x0b},
			[]byte{0x7d, 0, 0x43, 0, 0, 0, 0, 0x0b},
			[]byte{0x7b, 0, 0xfd, 0x0c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0b},
		)...),
		section(SectionExport, cat(5,
			"memory", byte(ExternMemory), 1,
			"reconcile", byte(ExternFunc), 1,
			"again", byte(ExternFunc), 0,
			"table", byte(ExternTable), 0,
			"global", byte(ExternGlobal), 1,
		)...),
		section(SectionStart, 2),
		section(SectionElement, cat(8,
			[]byte{0, 0x41, 0, 0x0b, 1, 1},
			[]byte{1, 0, 1, 1},
			[]byte{2, 0, 0x41, 0, 0x0b, 0, 1, 1},
			[]byte{3, 0, 1, 1},
			[]byte{4, 0x41, 0, 0x0b, 1, 0xd2, 1, 0x0b},
			[]byte{5, 0x70, 1, 0xd2, 1, 0x0b},
			[]byte{6, 0, 0x23, 0, 0x0b, 0x70, 1, 0xd0, 0x70, 0x0b},
			[]byte{7, 0x6f, 0},
		)...),
		section(SectionDataCount, 3),
		section(SectionCode, cat(2,
			4, []byte{0, 0x42, 0, 0x0b},
			7, []byte{2, 3, 0x7f, 1, 0x63, 0x70, 0x0b},
		)...),
		section(SectionData, cat(3,
			[]byte{0, 0x41, 0, 0x0b}, "active",
			byte(1), "passive",
			[]byte{2, 0, 0x41, 0, 0x0b}, "explicit",
		)...),
		section(SectionCustom, cat("name",
			byte(0), 4, "mod",
			byte(1), 6, 1, 1, "fun",
			byte(2), 7, 1, 1, 1, 0, "lo",
			byte(9), 2, []byte{1, 2},
		)...),
		section(SectionCustom, cat("k1s.metadata", []byte("second"))...),
	)
}
