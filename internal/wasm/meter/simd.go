// SPDX-License-Identifier: Apache-2.0

package meter

// simdConst is the second opcode of v128.const.
const simdConst = 12

// vectorInstruction describes the immediates of a vector instruction.
type vectorInstruction struct {
	known  bool
	memory bool  // an alignment and an offset come first
	bytes  uint8 // size of a constant or of lane indices
}

// vectorInstructions describes the instructions with the prefix 0xfd (core 2.0, section 5.4.8) by their second opcode.
var vectorInstructions = func() (t [256]vectorInstruction) {
	set := func(from, to int, v vectorInstruction) {
		v.known = true
		for op := from; op <= to; op++ {
			t[op] = v
		}
	}
	set(0, 255, vectorInstruction{})
	set(0, 11, vectorInstruction{memory: true})
	set(simdConst, simdConst+1, vectorInstruction{bytes: 16}) // and i8x16.shuffle
	set(21, 34, vectorInstruction{bytes: 1})                  // instructions on one lane
	set(84, 91, vectorInstruction{memory: true, bytes: 1})    // load and store one lane
	set(92, 93, vectorInstruction{memory: true})              // load a lane, and set the others to zero
	for _, op := range []int{154, 162, 165, 166, 175, 176, 178, 179, 180, 187, 194, 197, 198, 207, 208, 210, 211, 212, 226, 238} {
		t[op] = vectorInstruction{}
	}
	return t
}()
