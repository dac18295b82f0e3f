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
	// budget accounts for it to a namespace; nil is no limit.
	budget    *budget
	namespace string

	memory *linearMemory
}

// Allocate implements experimental.MemoryAllocator.
func (a *memoryAllocator) Allocate(_, maximum uint64) experimental.LinearMemory {
	a.memory = &linearMemory{limit: min(a.limit, maximum), count: a.count, budget: a.budget, namespace: a.namespace}
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
	limit     uint64
	count     func(delta int64)
	budget    *budget
	namespace string
	// denied is why memory was last denied, if that is because of the budget.
	denied error
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
		if !m.take(size - m.committed) {
			return nil
		}
		if !m.commit(size) {
			m.give(size - m.committed)
			return nil
		}
		m.committed = size
	}
	return m.space[:size:size]
}

// Free implements experimental.LinearMemory. The guest must not run any more.
func (m *linearMemory) Free() {
	if m.freed.Swap(true) {
		return
	}
	m.give(m.committed)
	m.release()
}

// take accounts for bytes that are about to be committed, and reports whether they may be.
func (m *linearMemory) take(bytes uint64) bool {
	if m.budget != nil {
		if err := m.budget.take(m.namespace, bytes); err != nil {
			m.denied = err
			return false
		}
	}
	m.count(int64(bytes))
	return true
}

func (m *linearMemory) give(bytes uint64) {
	if m.budget != nil {
		m.budget.give(m.namespace, bytes)
	}
	m.count(-int64(bytes))
}
