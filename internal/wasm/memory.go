// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"sync/atomic"

	"github.com/tetratelabs/wazero/experimental"
)

// memoryAllocator makes the linear memory of one instance. It is handed to wazero with the context of
// the instantiation, and remembers the memory, because wazero does not free that of an instance whose
// making fails.
type memoryAllocator struct {
	// limit is what the memory may grow to, in bytes.
	limit uint64
	// from is the image that the memory begins as; nil begins with zeros.
	from *image
	// count is told of every byte that is committed or given back.
	count func(delta int64)

	memory *linearMemory
}

// Allocate implements experimental.MemoryAllocator.
func (a *memoryAllocator) Allocate(_, maximum uint64) experimental.LinearMemory {
	a.memory = &linearMemory{limit: min(a.limit, maximum), count: a.count}
	a.memory.reserve(a.from)
	return a.memory
}

// free gives the memory back, if there is one.
func (a *memoryAllocator) free() {
	if a.memory != nil {
		a.memory.Free()
	}
}

// linearMemory is the memory of one instance. Its address never changes.
type linearMemory struct {
	// limit is what it may grow to, in bytes.
	limit uint64
	count func(delta int64)
	// space is the reserved range; nil if it could not be reserved.
	space []byte
	// committed is how much of space can be used, from its beginning; imaged is how much of that came
	// with an image.
	committed, imaged uint64
	freed             atomic.Bool
}

// Reallocate implements experimental.LinearMemory. It returns nil beyond the limit, and when the machine
// has no more.
func (m *linearMemory) Reallocate(size uint64) []byte {
	if size > m.limit || m.freed.Load() {
		return nil
	}
	if size > m.committed {
		if !m.commit(size) {
			return nil
		}
		m.count(int64(size - m.committed))
		m.committed = size
	}
	return m.space[:size:size]
}

// Free implements experimental.LinearMemory. The guest must not run any more.
func (m *linearMemory) Free() {
	if m.freed.Swap(true) {
		return
	}
	m.count(-int64(m.committed))
	m.release()
}
