// SPDX-License-Identifier: Apache-2.0

package wasi

import "io"

// The file descriptors that every guest has. There are no others, and they cannot be closed: an instance that serves
// its next call must find them.
const (
	stdin  = 0
	stdout = 1
	stderr = 2
)

const (
	fdstatSize   = 24
	filestatSize = 64
	// characterDevice is the type of a stream; wasi-libc then writes line by line, as to a terminal.
	characterDevice = 2

	rightRead  = 1 << 1  // fd_read
	rightWrite = 1 << 6  // fd_write
	rightPoll  = 1 << 27 // poll_fd_readwrite
)

func isStream(fd uint32) bool { return fd <= stderr }

// onStream returns the function that answers with a number for the standard streams, and that there is no such file
// for every other descriptor.
func onStream(e errno) func(*call) errno {
	return func(c *call) errno {
		if !isStream(c.u32(0)) {
			return badf
		}
		return e
	}
}

// fdstat is fd_fdstat_get(fd, result).
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

// filestat is fd_filestat_get(fd, result).
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

// fdRead is fd_read(fd, iovs, iovs_len, result). Standard input is at its end.
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

// fdWrite is fd_write(fd, ciovs, ciovs_len, result).
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
			_, _ = to.Write(piece) // it never fails
		}
		written += length
	}
	if !c.memory().WriteUint32Le(c.u32(3), written) {
		return fault
	}
	return success
}
