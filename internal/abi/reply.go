// SPDX-License-Identifier: Apache-2.0

package abi

// errorBit is bit 31 of the length of a reply. It is set if the bytes are an error Status, not a result.
const errorBit = 1 << 31

// Reply is an i64 that points to bytes in the guest's memory: the pointer in the upper 32 bits, the length in the lower
// 31 bits, and in bit 31 whether the bytes are a Status. The zero Reply is the empty reply.
type Reply uint64

// NewReply packs a pointer and a length. A length of 0 without isError results in the empty reply, whatever ptr is. The
// length must be less than 2^31.
func NewReply(ptr, length uint32, isError bool) Reply {
	if length == 0 && !isError {
		return 0
	}
	r := Reply(ptr)<<32 | Reply(length)
	if isError {
		r |= errorBit
	}
	return r
}

// Ptr returns the offset of the bytes in the guest's memory.
func (r Reply) Ptr() uint32 { return uint32(r >> 32) }

// Len returns the number of bytes.
func (r Reply) Len() uint32 { return uint32(r) &^ errorBit }

// IsError reports whether the bytes are a Status.
func (r Reply) IsError() bool { return r&errorBit != 0 }
