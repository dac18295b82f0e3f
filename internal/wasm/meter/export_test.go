// SPDX-License-Identifier: Apache-2.0

package meter

// WithChunk returns options that limit one instruction to the given number of bytes of memory.
func WithChunk(o Options, bytes uint32) Options {
	o.chunk = bytes
	return o
}
