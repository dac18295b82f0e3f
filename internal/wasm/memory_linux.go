// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// reserve takes the whole range that the memory may grow to, so that it never moves: growing means
// to allow access to more of it, and the kernel finds pages for what is touched.
func (m *linearMemory) reserve(from *image) {
	if m.limit == 0 {
		m.space = []byte{}
		return
	}
	space, err := unix.Mmap(-1, 0, int(m.limit), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return
	}
	m.space = space
	if from == nil || !m.take(from.size) {
		return
	}
	if !from.mapOver(space) {
		m.give(from.size)
		return
	}
	m.committed, m.imaged = from.size, from.size
}

// commit allows access up to a size.
func (m *linearMemory) commit(size uint64) bool {
	return m.space != nil && unix.Mprotect(m.space[m.committed:size], unix.PROT_READ|unix.PROT_WRITE) == nil
}

// reset makes the memory what its image is. It must not have grown beyond.
func (m *linearMemory) reset() bool {
	if m.committed != m.imaged {
		return false
	}
	// Private pages that were written are dropped; the next access finds the image's.
	return m.committed == 0 || unix.Madvise(m.space[:m.committed], unix.MADV_DONTNEED) == nil
}

func (m *linearMemory) release() {
	if len(m.space) > 0 {
		_ = unix.Munmap(m.space) // fails for ranges that are not mapped, which this is not
	}
	m.space = nil
}

// image is the memory and the globals of an instance that is ready for its first call. Other
// instances begin as copies of it, page by page, as they write.
type image struct {
	// file holds the memory's bytes; size is how many, a multiple of the page size.
	file    int
	size    uint64
	globals []uint64
	// gone is called when the image is closed; it may be nil.
	gone func()
}

// newImage copies a memory. It fails where the kernel has no memfd_create, or no memory.
func newImage(memory []byte, globals []uint64) (*image, error) {
	file, err := unix.MemfdCreate("k1s-instance", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	i := &image{file: file, size: uint64(len(memory)), globals: globals}
	if err := i.fill(memory); err != nil {
		i.close()
		return nil, err
	}
	return i, nil
}

// fill writes the pages that hold anything: holes read as zeros and cost nothing.
func (i *image) fill(memory []byte) error {
	if err := unix.Ftruncate(i.file, int64(len(memory))); err != nil {
		return err
	}
	const page = 4 << 10
	var zero [page]byte
	for start := 0; start < len(memory); {
		end := start
		for end < len(memory) && string(memory[end:end+page]) != string(zero[:]) {
			end += page
		}
		for written := start; written < end; {
			n, err := unix.Pwrite(i.file, memory[written:end], int64(written))
			if err != nil {
				return err
			}
			written += n
		}
		start = end + page
	}
	return nil
}

// mapOver maps the image over the beginning of a reserved range.
func (i *image) mapOver(space []byte) bool {
	if i.size == 0 || i.size > uint64(len(space)) {
		return false
	}
	_, err := unix.MmapPtr(i.file, 0, unsafe.Pointer(&space[0]), uintptr(i.size),
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED)
	return err == nil
}

// close gives up the image. Memories that were made of it keep theirs.
func (i *image) close() {
	_ = unix.Close(i.file)
	if i.gone != nil {
		i.gone()
	}
}
