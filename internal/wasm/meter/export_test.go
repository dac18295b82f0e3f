// SPDX-License-Identifier: Apache-2.0

package meter

// WithChunk returns options with which one instruction works on so many bytes of memory at most.
func WithChunk(o Options, bytes uint32) Options {
	o.chunk = bytes
	return o
}
