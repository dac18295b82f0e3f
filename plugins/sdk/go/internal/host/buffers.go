// SPDX-License-Identifier: Apache-2.0

package host

import "unsafe"

// Buffers are the blocks of memory that the host allocated during one call. Go's garbage collector does not move
// objects on the heap, so a block needs no pinning: keeping a reference to it is enough.
//
// Blocks are not reused for the next call, but left to the garbage collector. Therefore the data of the host can be
// read as an immutable string without a copy, and such strings may outlive the call.
type Buffers struct {
	live [][]byte
}

// Alloc returns the address of a new block of size bytes, or 0 if the size exceeds MaxPayload.
func (b *Buffers) Alloc(size uint32) uintptr {
	if size > MaxPayload {
		return 0
	}
	block := make([]byte, max(size, 1))
	b.live = append(b.live, block)
	return address(block)
}

// Text returns the length bytes that the host wrote to an address, without a copy: the host writes only once. It
// returns false if they are not within one block.
func (b *Buffers) Text(at uintptr, length uint32) (string, bool) {
	if length == 0 {
		return "", true
	}
	// The last allocated block is usually the one that was just filled.
	for i := len(b.live) - 1; i >= 0; i-- {
		block := b.live[i]
		start := address(block)
		if at < start || at-start >= uintptr(len(block)) {
			continue
		}
		offset := at - start
		if uintptr(len(block))-offset < uintptr(length) {
			return "", false
		}
		return unsafe.String(&block[offset], length), true
	}
	return "", false
}

// Release releases all blocks.
func (b *Buffers) Release() {
	clear(b.live)
	b.live = b.live[:0]
}

func address(block []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(block))) }
