// SPDX-License-Identifier: Apache-2.0

package meter

// In a call frame, the engine gives every value of a function that it keeps in memory a slot of its own, and never
// reuses a slot. A frame therefore has at most one slot for each value: the results of instructions, the initial values
// of locals, and the values of locals where control flow paths join.
const (
	slot     = 8
	wideSlot = 16 // for functions with vectors
	// frameBytes is the size of the return address, the saved frame pointer, the engine's own data, alignment, and what
	// this package adds.
	frameBytes = 128
	// savedRegisters is the maximum number of registers that a function saves for its caller, each in 16 bytes. A
	// function saves only registers that hold one of its values.
	savedRegisters = 25
)

// values counts the values that may have a slot.
type values struct {
	results int  // of instructions, and of blocks
	meets   int  // locals that were set on one of the paths that join
	sets    int  // instructions that set a local
	passed  int  // maximum number of parameters and results of a call
	wide    bool // some value is a vector
}

// bytes returns the maximum number of bytes that a call of the function takes on the native stack.
func (v *values) bytes(locals uint32) uint64 {
	size := uint64(slot)
	if v.wide {
		size = wideSlot
	}
	n := uint64(locals) + uint64(v.results) + uint64(v.meets)
	return frameBytes + size*(n+uint64(v.passed)) + 16*min(n, savedRegisters)
}

// meet counts the values at the end of a block or at the beginning of a loop, in which instructions set locals. Three
// variables of the engine (the base and the length of the memory, and the fuel) count as well.
func (v *values) meet(sets int, locals uint32) {
	v.meets += min(v.sets-sets, int(locals)) + 3
}
