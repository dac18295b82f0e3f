// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// reserve reserves the whole address range that the memory can grow to, so that the memory never moves. Growing the
// memory only allows access to more of the range, and the kernel allocates the pages that are touched.
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

// reset restores the memory to its image, and reports whether that succeeded. It fails if the memory has grown beyond
// the image.
func (m *linearMemory) reset() bool {
	if m.committed != m.imaged {
		return false
	}
	// The kernel drops the private pages that were written. The next access reads the pages of the image.
	return m.committed == 0 || unix.Madvise(m.space[:m.committed], unix.MADV_DONTNEED) == nil
}

func (m *linearMemory) unmap() {
	if len(m.space) > 0 {
		_ = unix.Munmap(m.space) // fails only for ranges that are not mapped
	}
	m.space = nil
}

// image is a snapshot of the memory and the globals of an instance that is ready for its first call. Other instances
// start as copies of it: pages are copied on write.
type image struct {
	// file holds the bytes of the memory. size is their number, a multiple of the page size.
	file    int
	size    uint64
	globals []uint64
	// unmapped is called when the image is closed. It may be nil.
	unmapped func()
}

// newImage copies a memory to a new image. It fails if the kernel does not support memfd_create, or has no memory.
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

// fill writes only the pages that are not all zeros: holes in the file read as zeros and use no memory.
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

// mapOver maps the image over the beginning of a reserved range, and reports whether that succeeded.
func (i *image) mapOver(space []byte) bool {
	if i.size == 0 || i.size > uint64(len(space)) {
		return false
	}
	_, err := unix.MmapPtr(i.file, 0, unsafe.Pointer(&space[0]), uintptr(i.size), //nolint:gosec // within the reserved range, see above
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED)
	return err == nil
}

// close closes the image. Memories that were mapped from it stay valid.
func (i *image) close() {
	_ = unix.Close(i.file)
	if i.unmapped != nil {
		i.unmapped()
	}
}
