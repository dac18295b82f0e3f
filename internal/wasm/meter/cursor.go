// SPDX-License-Identifier: Apache-2.0

package meter

import (
	"errors"
	"fmt"
)

var (
	errEnd    = errors.New("unexpected end")
	errNumber = errors.New("number longer than its type")
)

// cursor reads bytes. It keeps its first error. After an error, reads return zero and do not advance.
type cursor struct {
	b   []byte
	i   int
	err error
}

func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = err
		c.i = len(c.b)
	}
}

func (c *cursor) failf(format string, args ...any) {
	c.fail(fmt.Errorf(format, args...))
}

func (c *cursor) left() int { return len(c.b) - c.i }

func (c *cursor) byte() byte {
	if c.i >= len(c.b) {
		c.fail(errEnd)
		return 0
	}
	v := c.b[c.i]
	c.i++
	return v
}

// u32 reads an unsigned LEB128 number. Most have one byte.
func (c *cursor) u32() uint32 {
	if c.i < len(c.b) && c.b[c.i] < 0x80 {
		c.i++
		return uint32(c.b[c.i-1])
	}
	return c.longU32()
}

func (c *cursor) longU32() uint32 {
	var v uint32
	for shift := uint(0); shift < 35; shift += 7 {
		b := c.byte()
		if shift == 28 && b > 0x0f {
			break
		}
		v |= uint32(b&0x7f) << shift
		if b&0x80 == 0 {
			return v
		}
	}
	c.fail(errNumber)
	return 0
}

// signed reads a signed LEB128 number of at most 33 bits. The values of longer numbers are not needed.
func (c *cursor) signed(bits uint) int64 {
	var v int64
	for shift := uint(0); shift < bits; shift += 7 {
		b := c.byte()
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
	c.fail(errNumber)
	return 0
}

// skipLEB skips a number of at most n bytes. The engine checks the unused bits of the last byte.
func (c *cursor) skipLEB(n int) {
	for range n {
		if c.byte() < 0x80 {
			return
		}
	}
	c.fail(errNumber)
}

func (c *cursor) skip(n uint32) []byte {
	if uint64(n) > uint64(c.left()) {
		c.fail(errEnd)
		return nil
	}
	b := c.b[c.i : c.i+int(n) : c.i+int(n)]
	c.i += int(n)
	return b
}

func (c *cursor) name() string { return string(c.skip(c.u32())) }

// below reads an index that must be less than n.
func (c *cursor) below(n int, what string) uint32 {
	v := c.u32()
	if uint64(v) >= uint64(n) && c.err == nil {
		c.failf("%s %d, but there are %d", what, v, n)
	}
	return v
}

// vector reads a count and calls each that many times. Every element has at least one byte, so a large count ends with
// an error. The count itself does not allocate memory.
func (c *cursor) vector(each func()) {
	for n := c.u32(); n > 0 && c.err == nil; n-- {
		each()
	}
}
