// SPDX-License-Identifier: Apache-2.0

package meter

// The engine gives every value of a function a slot of its own in its call frame, if it keeps the value
// in memory at all, and never uses a slot twice. So the most that a frame takes is a slot for each value
// there is: what instructions give, what locals hold at first, and what they hold where paths meet.
const (
	slot     = 8
	wideSlot = 16 // of functions with vectors
	// frameBytes are the return address, the saved frame pointer, the engine's own notes, alignment, and
	// what this package adds.
	frameBytes = 128
	// savedRegisters is how many registers a function may have to save for its caller, each in 16 bytes.
	// It saves none that no value of its own is in.
	savedRegisters = 25
)

// values counts what may have a slot.
type values struct {
	results int  // of instructions, and of blocks
	meets   int  // locals that were set on one of the paths that meet
	sets    int  // instructions that set a local
	passed  int  // parameters and results of the call with the most of them
	wide    bool // some value is a vector
}

// bytes is the most that a call of a function takes of the native stack.
func (v *values) bytes(locals uint32) uint64 {
	size := uint64(slot)
	if v.wide {
		size = wideSlot
	}
	n := uint64(locals) + uint64(v.results) + uint64(v.meets)
	return frameBytes + size*(n+uint64(v.passed)) + 16*min(n, savedRegisters)
}

// meet is the end of a block, or the beginning of a loop, in which there were instructions that set
// locals. The engine's own three variables (a memory's base and length, and the fuel) count as well.
func (v *values) meet(sets int, locals uint32) {
	v.meets += min(v.sets-sets, int(locals)) + 3
}
