// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package wasm

import "errors"

// reserve does nothing: the memory is on the Go heap and moves when it grows.
func (m *linearMemory) reserve(*image) {}

// commit makes room, and more than was asked for: guests that grow page by page must not have
// everything copied for each.
func (m *linearMemory) commit(size uint64) bool {
	if size > uint64(cap(m.space)) {
		grown := make([]byte, size, min(max(size, 2*uint64(cap(m.space))), m.limit))
		copy(grown, m.space)
		m.space = grown
	}
	m.space = m.space[:size]
	return true
}

// reset is not possible without an image.
func (m *linearMemory) reset() bool { return false }

func (m *linearMemory) release() { m.space = nil }

// image needs memory that is copied as it is written, which only Linux offers here: elsewhere every instance is
// initialized by its own code.
type image struct {
	size    uint64
	globals []uint64
	gone    func()
}

func newImage([]byte, []uint64) (*image, error) {
	return nil, errors.ErrUnsupported
}

func (i *image) close() {}
