// SPDX-License-Identifier: Apache-2.0

package wasi

import "io"

// File descriptors of every guest. There are no others. They cannot be closed, because an instance needs them in its
// next call.
const (
	stdin  = 0
	stdout = 1
	stderr = 2
)

const (
	fdstatSize   = 24
	filestatSize = 64
	// characterDevice is the file type of a stream. wasi-libc then flushes each line, as for a terminal.
	characterDevice = 2

	rightRead  = 1 << 1  // fd_read
	rightWrite = 1 << 6  // fd_write
	rightPoll  = 1 << 27 // poll_fd_readwrite
)

func isStream(fd uint32) bool { return fd <= stderr }

// onStream returns a function that returns the given error number for the standard streams, and badf for every other
// descriptor.
func onStream(e errno) func(*call) errno {
	return func(c *call) errno {
		if !isStream(c.u32(0)) {
			return badf
		}
		return e
	}
}

// fdstat implements fd_fdstat_get(fd, result).
func fdstat(c *call) errno {
	fd := c.u32(0)
	if !isStream(fd) {
		return badf
	}
	out, ok := zero(c.memory(), c.u32(1), fdstatSize)
	if !ok {
		return fault
	}
	rights := uint64(rightPoll | rightWrite)
	if fd == stdin {
		rights = rightPoll | rightRead
	}
	out[0] = characterDevice
	le.PutUint64(out[8:], rights)
	return success
}

// filestat implements fd_filestat_get(fd, result).
func filestat(c *call) errno {
	if !isStream(c.u32(0)) {
		return badf
	}
	out, ok := zero(c.memory(), c.u32(1), filestatSize)
	if !ok {
		return fault
	}
	out[16] = characterDevice
	return success
}

// fdRead implements fd_read(fd, iovs, iovs_len, result). Standard input is always at its end.
func fdRead(c *call) errno {
	switch {
	case c.u32(0) != stdin:
		return badf
	case c.u32(2) > maxVectors:
		return inval
	case !c.memory().WriteUint32Le(c.u32(3), 0):
		return fault
	}
	return success
}

// fdWrite implements fd_write(fd, ciovs, ciovs_len, result).
func fdWrite(c *call) errno {
	var to io.Writer
	switch c.u32(0) {
	case stdout:
		to = c.Stdout()
	case stderr:
		to = c.Stderr()
	default:
		return badf
	}
	if c.u32(2) > maxVectors {
		return inval
	}
	vectors, ok := read(c.memory(), c.u32(1), c.u32(2), vectorSize)
	if !ok {
		return fault
	}
	var written uint32
	for ; len(vectors) > 0; vectors = vectors[vectorSize:] {
		ptr, length := le.Uint32(vectors), le.Uint32(vectors[4:])
		bytes, ok := c.memory().Read(ptr, length)
		if !ok {
			return fault
		}
		for piece := range chunks(c, bytes) {
			_, _ = to.Write(piece) // Write never fails
		}
		written += length
	}
	if !c.memory().WriteUint32Le(c.u32(3), written) {
		return fault
	}
	return success
}
