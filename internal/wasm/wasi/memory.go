// SPDX-License-Identifier: Apache-2.0

package wasi

import (
	"encoding/binary"
	"iter"

	"github.com/tetratelabs/wazero/api"
)

const (
	// maxVectors is the maximum number of buffers of one fd_read or fd_write. IOV_MAX of Linux and wasi-libc has the
	// same value.
	maxVectors = 1024
	// vectorSize is the size of an iovec and a ciovec in bytes: a pointer and a length.
	vectorSize = 8
	// chunk is how many bytes are moved between two checks of the deadline.
	chunk = 64 << 10
)

var le = binary.LittleEndian

// read returns the bytes of count records of the given size. It returns false unless all of them are within the memory.
func read(m api.Memory, ptr, count, size uint32) ([]byte, bool) {
	bytes := uint64(count) * uint64(size)
	if bytes > uint64(^uint32(0)) {
		return nil, false
	}
	return m.Read(ptr, uint32(bytes))
}

// zero writes the given number of zeros, and reports whether they are within the memory.
func zero(m api.Memory, ptr, size uint32) ([]byte, bool) {
	out, ok := m.Read(ptr, size)
	clear(out)
	return out, ok
}

// chunks yields a buffer in chunks. It charges the guest for each chunk and checks the deadline before each chunk,
// because moving bytes cannot be preempted.
func chunks(g Guest, buffer []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(buffer) > 0 {
			g.MustContinue()
			n := min(len(buffer), chunk)
			g.Charge(n)
			if !yield(buffer[:n]) {
				return
			}
			buffer = buffer[n:]
		}
	}
}
