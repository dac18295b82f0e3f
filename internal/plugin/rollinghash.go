// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"crypto/rand"
	"encoding/binary"
	"math/bits"
)

// mersenne is the prime 2⁶¹-1, for which the remainder is cheap to compute.
const mersenne = 1<<61 - 1

// rollingBase is the base of a polynomial hash modulo 2⁶¹-1. It is random, so that nobody can construct two texts with
// the same hash. By chance, that happens for one in 2⁴⁰ pairs of texts of 1 MiB.
type rollingBase uint64

func newRollingBase() rollingBase {
	var random [8]byte
	_, _ = rand.Read(random[:]) // it never fails
	return rollingBase(binary.LittleEndian.Uint64(random[:])%(mersenne-256) + 256)
}

// power returns the base to the power of n.
func (b rollingBase) power(n int) uint64 {
	result, square := uint64(1), uint64(b)
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			result = multiply(result, square)
		}
		square = multiply(square, square)
	}
	return result
}

func multiply(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return reduce(low&mersenne + (low>>61 | high<<3))
}

func reduce(n uint64) uint64 {
	if n >= mersenne {
		return n - mersenne
	}
	return n
}

// rollingHash returns the hash of parts of a text. The parts must be requested in ascending order of their positions.
// It hashes only the requested parts, each byte once.
type rollingHash struct {
	base rollingBase
	text string
	// sums[n] is the hash of text[origin:first+n]. The origin does not matter, because it cancels out.
	sums  []uint64
	first int
	// hashed counts the hashed bytes.
	hashed int
}

// worthMoving is the number of unused sums at which they are dropped.
const worthMoving = 16 << 10

// of returns the hash of the part of the text that starts at position and is length bytes long. The argument power is
// the base to the power of length.
func (h *rollingHash) of(position, length int, power uint64) uint64 {
	switch unused := position - h.first; {
	case len(h.sums) == 0 || unused >= len(h.sums):
		if h.sums == nil {
			h.sums = make([]uint64, 0, min(len(h.text)-position+1, 2*worthMoving))
		}
		h.sums, h.first = append(h.sums[:0], 0), position
	case len(h.sums) >= worthMoving && unused > len(h.sums)/2:
		h.sums, h.first = append(h.sums[:0], h.sums[unused:]...), position
	}
	end := position + length
	h.hashed += max(0, end-h.first-len(h.sums)+1)
	for next := h.first + len(h.sums) - 1; next < end; next++ {
		h.sums = append(h.sums, reduce(multiply(h.sums[len(h.sums)-1], uint64(h.base))+uint64(h.text[next])+1))
	}
	return reduce(h.sums[end-h.first] + mersenne - multiply(h.sums[position-h.first], power))
}
