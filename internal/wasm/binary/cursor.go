// SPDX-License-Identifier: Apache-2.0

package binary

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/k1s-io/k1s/internal/text"
)

var errEnd = errors.New("unexpected end")

// Cursor reads the encoding of a module. It keeps its first error. After an error, reads return zero and do not
// advance.
type Cursor struct {
	Bytes []byte
	// At is the offset of the next byte.
	At  int
	Err error
}

// Fail sets the error, unless there is one already.
func (c *Cursor) Fail(err error) {
	if c.Err == nil {
		c.Err = err
		c.At = len(c.Bytes)
	}
}

// Failf is Fail with a format.
func (c *Cursor) Failf(format string, args ...any) { c.Fail(fmt.Errorf(format, args...)) }

// Left returns how many bytes are left.
func (c *Cursor) Left() int { return len(c.Bytes) - c.At }

// Byte reads one byte.
func (c *Cursor) Byte() byte {
	if c.At >= len(c.Bytes) {
		c.Fail(errEnd)
		return 0
	}
	v := c.Bytes[c.At]
	c.At++
	return v
}

// U32 reads an unsigned LEB128 number of at most 32 bits. Most have one byte.
func (c *Cursor) U32() uint32 {
	if c.At < len(c.Bytes) && c.Bytes[c.At] < 0x80 {
		c.At++
		return uint32(c.Bytes[c.At-1])
	}
	return c.longU32()
}

func (c *Cursor) longU32() uint32 {
	var v uint32
	for shift := uint(0); shift < 35; shift += 7 {
		b := c.Byte()
		if shift == 28 && b > 0x0f {
			break
		}
		v |= uint32(b&0x7f) << shift
		if b&0x80 == 0 {
			return v
		}
	}
	c.tooLong(32)
	return 0
}

func (c *Cursor) tooLong(bits uint) { c.Failf("number longer than %d bits", bits) }

// Signed reads a signed LEB128 number of at most 33 bits. The values of longer numbers are not needed.
func (c *Cursor) Signed(bits uint) int64 {
	var v int64
	for shift := uint(0); shift < bits; shift += 7 {
		b := c.Byte()
		if rest := bits - shift; rest < 7 { // the unused bits must repeat the sign
			if beyond := int8(b<<1) >> rest; beyond != 0 && beyond != -1 {
				break
			}
		}
		v |= int64(b&0x7f) << shift
		if b&0x80 == 0 {
			if b&0x40 != 0 && shift+7 < 64 {
				v |= -1 << (shift + 7)
			}
			return v
		}
	}
	c.tooLong(bits)
	return 0
}

// SkipLEB skips a number of at most the given bits. The engine checks the unused bits of the last byte.
func (c *Cursor) SkipLEB(bits uint) {
	for shift := uint(0); shift < bits; shift += 7 {
		if c.Byte() < 0x80 {
			return
		}
	}
	c.tooLong(bits)
}

// Take reads the next n bytes, which are not copied.
func (c *Cursor) Take(n uint32) []byte {
	if uint64(n) > uint64(c.Left()) {
		c.Fail(errEnd)
		return nil
	}
	b := c.Bytes[c.At : c.At+int(n) : c.At+int(n)]
	c.At += int(n)
	return b
}

// Name reads a name: a length and that many bytes of UTF-8.
func (c *Cursor) Name() string {
	b := c.Take(c.U32())
	if !utf8.Valid(b) {
		c.Failf("name is not UTF-8")
	}
	return string(b)
}

// Below reads an index that must be less than n.
func (c *Cursor) Below(n int, what string) uint32 {
	v := c.U32()
	if uint64(v) >= uint64(n) && c.Err == nil {
		c.Failf("%s %d, but there are %d", what, v, n)
	}
	return v
}

// Vector reads a count and calls each that many times. Every element has at least one byte, so a large count ends with
// an error. The count itself does not allocate memory.
func (c *Cursor) Vector(each func()) {
	for n := c.U32(); n > 0 && c.Err == nil; n-- {
		each()
	}
}

// Limits reads the limits of a memory or table.
func (c *Cursor) Limits() (l Limits) {
	flags := c.Byte()
	if flags > 1 { // shared and 64-bit memories are proposals beyond core 2.0
		c.Fail(Unsupported(limitsProposal(flags), "limits of form 0x%02x", flags))
	}
	l.Min = c.U32()
	if l.HasMax = flags == 1; l.HasMax {
		l.Max = c.U32()
	}
	return l
}

// within fails if a sum exceeds a limit after an addition.
func (c *Cursor) within(what string, sum *uint64, add, limit uint64) {
	if err := within(what, sum, add, limit); err != nil {
		c.Fail(err)
	}
}

// count reads the number of elements that follow. It checks the number against a limit and against the remaining bytes,
// because every element has at least one byte.
func (c *Cursor) count(what string, limit uint64) uint32 {
	n := c.U32()
	var sum uint64
	c.within(what, &sum, uint64(n), limit)
	if left := c.Left(); c.Err == nil && uint64(n) > uint64(left) {
		c.Failf("says it has %d %s, but only %d bytes are left", n, what, left)
	}
	return n
}

// counted is Vector with a limit. Its error names the element.
func (c *Cursor) counted(what string, limit uint64, each func()) {
	n := c.count(what, limit)
	for i := uint32(0); i < n && c.Err == nil; i++ {
		if each(); c.Err != nil {
			c.Err = fmt.Errorf("element %d: %w", i, c.Err)
		}
	}
}

// maxQuoted is how much of a name an error quotes, in bytes.
const maxQuoted = 128 + len("…")

// short truncates a name, which may be as long as the module, for an error message.
func short(name string) string {
	return text.Truncate(name, maxQuoted)
}
