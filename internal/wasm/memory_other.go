// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package wasm

import "errors"

// reserve does nothing: the memory is on the Go heap and moves when it grows.
func (m *linearMemory) reserve(*image) {}

// commit grows the memory to a size. It allocates more than that, so that a guest that grows its memory page by page
// does not cause a copy of the whole memory for each page.
func (m *linearMemory) commit(size uint64) bool {
	if size > uint64(cap(m.space)) {
		grown := make([]byte, size, min(max(size, 2*uint64(cap(m.space))), m.limit))
		copy(grown, m.space)
		m.space = grown
	}
	m.space = m.space[:size]
	return true
}

// reset always returns false, because it needs an image.
func (m *linearMemory) reset() bool { return false }

func (m *linearMemory) release() { m.space = nil }

// image needs copy-on-write memory, which is implemented for Linux only. On other systems every instance is initialized
// by its own code.
type image struct {
	size    uint64
	globals []uint64
	gone    func()
}

func newImage([]byte, []uint64) (*image, error) {
	return nil, errors.ErrUnsupported
}

func (i *image) close() {}
