// SPDX-License-Identifier: Apache-2.0

package host

// errorBit is bit 31 of a packed reply. If it is set, the bytes are an error.
const errorBit = 1 << 31

// pack packs a reply into an i64: the pointer is in the upper half, the length and the error bit are in the lower half.
// An empty reply that is not an error is 0.
func pack(ptr, length uint32, isError bool) uint64 {
	if length == 0 && !isError {
		return 0
	}
	packed := uint64(ptr)<<32 | uint64(length)
	if isError {
		packed |= errorBit
	}
	return packed
}

func unpack(packed uint64) (ptr, length uint32, isError bool) {
	return uint32(packed >> 32), uint32(packed) &^ errorBit, packed&errorBit != 0
}
