// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"sync/atomic"

	"github.com/tetratelabs/wazero/experimental"
)

// memoryAllocator allocates the linear memory of one instance. It is passed to wazero in the context of the
// instantiation. It remembers the memory, because wazero does not free the memory of an instance that it fails to
// create.
type memoryAllocator struct {
	// limit is the maximum size of the memory in bytes.
	limit uint64
	// from is the image with the initial content of the memory. If it is nil, the memory starts with zeros.
	from *image
	// count is called with every change of the committed bytes.
	count func(delta int64)
	// budget limits the memory of the namespace and of all plugins. nil means no limit.
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

// free frees the memory, if it was allocated.
func (a *memoryAllocator) free() {
	if a.memory != nil {
		a.memory.Free()
	}
}

// linearMemory is the memory of one instance. On Linux, its address never changes.
type linearMemory struct {
	// limit is the maximum size in bytes.
	limit     uint64
	count     func(delta int64)
	budget    *budget
	namespace string
	// denied is the error of the budget that denied more memory, or nil.
	denied error
	// space is the reserved range. It is nil if it could not be reserved.
	space []byte
	// committed is how many bytes from the beginning of space can be used. imaged is how many of them come from an
	// image.
	committed, imaged uint64
	freed             atomic.Bool
}

// Reallocate implements experimental.LinearMemory. It returns nil above the limit, and if the machine has no more
// memory.
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

// Free implements experimental.LinearMemory. The guest must not run afterwards.
func (m *linearMemory) Free() {
	if m.freed.Swap(true) {
		return
	}
	m.give(m.committed)
	m.unmap()
}

// take counts bytes that are about to be committed, and reports whether the budget allows them.
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
