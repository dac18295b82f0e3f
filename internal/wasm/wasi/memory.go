// SPDX-License-Identifier: Apache-2.0

package wasi

import (
	"encoding/binary"
	"iter"

	"github.com/tetratelabs/wazero/api"
)

const (
	// maxVectors is how many buffers one fd_read or fd_write names, as IOV_MAX of Linux and wasi-libc.
	maxVectors = 1024
	// vectorSize is the size of an iovec and a ciovec in bytes: a pointer and a length.
	vectorSize = 8
	// chunk is how many bytes are moved between two checks of the deadline.
	chunk = 64 << 10
)

var le = binary.LittleEndian

// read returns count records of a size. No record is looked at before all of them are known to be in the memory.
func read(m api.Memory, ptr, count, size uint32) ([]byte, bool) {
	bytes := uint64(count) * uint64(size)
	if bytes > uint64(^uint32(0)) {
		return nil, false
	}
	return m.Read(ptr, uint32(bytes))
}

// zero writes so many zeros, and reports whether they are within the memory.
func zero(m api.Memory, ptr, size uint32) ([]byte, bool) {
	out, ok := m.Read(ptr, size)
	clear(out)
	return out, ok
}

// chunks yields a buffer piece by piece. The guest pays for each piece, and is stopped between two of them when its
// time is over: moving bytes cannot be preempted.
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
