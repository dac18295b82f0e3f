// SPDX-License-Identifier: Apache-2.0

package binary

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/k1s-io/k1s/internal/text"
)

var errEnd = errors.New("unexpected end")

// reader reads the bytes of a section.
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
	var v uint32
	for shift := uint(0); shift < 35; shift += 7 {
		c, err := r.byte()
		if err != nil {
			return 0, err
		}
		if shift == 28 && c > 0x0f {
			break
		}
		v |= uint32(c&0x7f) << shift
		if c&0x80 == 0 {
			return v, nil
		}
	}
	return 0, errors.New("number longer than 32 bits")
}

// signed reads a signed LEB128 number of at most the given bits (32, 33 or 64) and returns its lowest 64 bits. The
// engine checks the unused bits of the last byte.
func (r *reader) signed(bits uint) (int64, error) {
	var v int64
	for shift := uint(0); shift < bits; shift += 7 {
		c, err := r.byte()
		if err != nil {
			return 0, err
		}
		v |= int64(c&0x7f) << shift
		if c&0x80 == 0 {
			if c&0x40 != 0 && shift+7 < 64 {
				v |= -1 << (shift + 7)
			}
			return v, nil
		}
	}
	return 0, fmt.Errorf("number longer than %d bits", bits)
}

// bytes reads the next n bytes.
func (r *reader) bytes(n uint32) ([]byte, error) {
	if uint64(n) > uint64(len(r.b)) {
		return nil, errEnd
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b, nil
}

// name reads a name: a length and that many bytes of UTF-8.
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

// count reads the number of elements that follow. It checks the number against a limit and against the remaining bytes,
// because every element has at least one byte.
func (r *reader) count(what string, limit uint64) (uint32, error) {
	n, err := r.u32()
	if err != nil {
		return 0, err
	}
	var sum uint64
	if err := within(what, &sum, uint64(n), limit); err != nil {
		return 0, err
	}
	if uint64(n) > uint64(len(r.b)) {
		return 0, fmt.Errorf("says it has %d %s, but only %d bytes are left", n, what, len(r.b))
	}
	return n, nil
}

// vector reads a count and calls each that many times.
func (r *reader) vector(what string, limit uint64, each func() error) error {
	n, err := r.count(what, limit)
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

// maxQuoted is how much of a name an error quotes, in bytes.
const maxQuoted = 128 + len("…")

// short truncates a name, which may be as long as the module, for an error message.
func short(name string) string {
	return text.Truncate(name, maxQuoted)
}
