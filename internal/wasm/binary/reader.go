// SPDX-License-Identifier: Apache-2.0

package binary

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

var errEnd = errors.New("unexpected end")

// reader walks over a section's bytes.
type reader struct {
	b []byte
}

func (r *reader) byte() (byte, error) {
	if len(r.b) == 0 {
		return 0, errEnd
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c, nil
}

// u32 reads an unsigned LEB128 number of at most 32 bits.
func (r *reader) u32() (uint32, error) {
	v, err := r.uleb(32)
	return uint32(v), err
}

// uleb reads an unsigned LEB128 number of at most the given bits.
func (r *reader) uleb(bits uint) (uint64, error) {
	var v uint64
	for shift := uint(0); ; shift += 7 {
		c, err := r.byte()
		if err != nil {
			return 0, err
		}
		if shift >= bits || bits-shift < 7 && uint64(c&0x7f)>>(bits-shift) != 0 {
			return 0, fmt.Errorf("number longer than %d bits", bits)
		}
		v |= uint64(c&0x7f) << shift
		if c&0x80 == 0 {
			return v, nil
		}
	}
}

// bytes takes the next n bytes.
func (r *reader) bytes(n uint32) ([]byte, error) {
	if uint64(n) > uint64(len(r.b)) {
		return nil, errEnd
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b, nil
}

// name reads a length and that many bytes of UTF-8.
func (r *reader) name() (string, error) {
	n, err := r.u32()
	if err != nil {
		return "", err
	}
	b, err := r.bytes(n)
	if err != nil {
		return "", err
	}
	if !utf8.Valid(b) {
		return "", errors.New("name is not UTF-8")
	}
	return string(b), nil
}

// vector reads a count and calls each that many times. A count is never trusted with an allocation:
// every element takes at least a byte, so a wrong one ends at the end of the bytes.
func (r *reader) vector(each func() error) error {
	n, err := r.u32()
	if err != nil {
		return err
	}
	for i := range n {
		if err := each(); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	return nil
}

// limits reads the limits of a memory or table.
func (r *reader) limits() (minimum uint64, err error) {
	flags, err := r.byte()
	if err != nil {
		return 0, err
	}
	if minimum, err = r.uleb(64); err != nil {
		return 0, err
	}
	if flags&1 != 0 {
		_, err = r.uleb(64)
	}
	return minimum, err
}
