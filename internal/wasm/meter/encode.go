// SPDX-License-Identifier: Apache-2.0

package meter

import "encoding/binary"

func appendU32(out []byte, v uint32) []byte { return binary.AppendUvarint(out, uint64(v)) }

// appendSigned appends a signed LEB128 number.
func appendSigned(out []byte, v int64) []byte {
	for v < -0x40 || v >= 0x40 {
		out = append(out, byte(v)|0x80)
		v >>= 7
	}
	return append(out, byte(v)&0x7f)
}

func appendName(out []byte, s string) []byte { return append(appendU32(out, uint32(len(s))), s...) }

// appendSized appends bytes, preceded by their length.
func appendSized(out, content []byte) []byte {
	return append(appendU32(out, uint32(len(content))), content...)
}

func appendSection(out []byte, id byte, content []byte) []byte {
	return appendSized(append(out, id), content)
}

// code is a sequence of instructions that is being written.
type code []byte

func (c code) op(ops ...byte) code { return append(c, ops...) }

// index appends an instruction with an index as its immediate.
func (c code) index(op byte, index uint32) code { return appendU32(append(c, op), index) }

// constant appends an i32.const or i64.const.
func (c code) constant(op byte, v int64) code { return appendSigned(append(c, op), v) }
