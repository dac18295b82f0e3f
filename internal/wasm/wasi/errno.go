// SPDX-License-Identifier: Apache-2.0

package wasi

// errno is an error number of WASI preview 1.
type errno uint32

// Error numbers that are used.
const (
	success errno = 0
	badf    errno = 8  // not an open file descriptor
	fault   errno = 21 // an address outside the memory
	inval   errno = 28 // an invalid argument
	nosys   errno = 52 // a function that is not implemented
	notdir  errno = 54 // not a directory
	notsock errno = 57 // not a socket
	notsup  errno = 58 // not supported
	spipe   errno = 70 // a stream does not have a position
)
