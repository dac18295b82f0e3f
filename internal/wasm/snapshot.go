// SPDX-License-Identifier: Apache-2.0

package wasm

import "github.com/tetratelabs/wazero/api"

// snapshot creates an image of an instance between two calls. The module must be restorable: memory and globals must be
// its whole state.
func (in *instance) snapshot() (*image, error) {
	globals := make([]uint64, len(in.globals))
	for i, g := range in.globals {
		globals[i] = g.Get()
	}
	size, budget, namespace := in.memory.committed, in.memory.budget, in.memory.namespace
	if budget == nil {
		return newImage(in.memory.space[:size], globals)
	}
	if err := budget.take(namespace, size); err != nil {
		return nil, err
	}
	made, err := newImage(in.memory.space[:size], globals)
	if err != nil {
		budget.give(namespace, size)
		return nil, err
	}
	made.unmapped = func() { budget.give(namespace, size) }
	return made, nil
}

// become sets a new instance, whose memory was mapped from an image, to the state of the image. It reports whether that
// succeeded.
func (in *instance) become(from *image) bool {
	memory := in.module.Memory()
	if grow := uint32(from.size/pageSize) - pages(memory); grow > 0 {
		if _, ok := memory.Grow(grow); !ok {
			return false
		}
	}
	if in.memory.imaged != from.size {
		return false // the image could not be mapped
	}
	in.from = from
	in.setGlobals()
	return true
}

// reset restores an instance to the state of its image, and reports whether that succeeded.
func (in *instance) reset() bool {
	if in.from == nil || in.module.IsClosed() || !in.memory.reset() {
		return false
	}
	in.setGlobals()
	return true
}

func (in *instance) setGlobals() {
	for i, g := range in.globals {
		g.Set(in.from.globals[i])
	}
}

// pages returns the size of a memory in pages. The size in bytes may not fit in the type that wazero returns it as.
func pages(memory api.Memory) uint32 {
	n, _ := memory.Grow(0)
	return n
}
