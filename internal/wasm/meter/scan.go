// SPDX-License-Identifier: Apache-2.0

package meter

import "fmt"

// body is a function that the module defines.
type body struct {
	start, end uint32 // in the module: the declarations of locals and the instructions
	code       uint32 // where the instructions begin
	locals     uint32 // parameters included
	// events and loops are its parts of what was scanned: those before the next body's.
	events, loops int
	entry         uint32 // instructions outside loops
	instructions  uint32
	// blocks and targets count blocks, loops and ifs, and the labels of br_table.
	blocks, targets uint64
	widest          uint32 // parameters and results of the block with the most of them
	frame           uint64 // bytes of call stack, at most
}

// eventKind is what stands at a place of a body that may have to be written in another way.
type eventKind uint8

const (
	eventLoop     eventKind = iota // a loop's body begins; arg is the loop
	eventBack                      // br to a loop; arg is the loop
	eventBackIf                    // br_if to a loop; arg is the loop
	eventCall                      // the function's index
	eventIndirect                  // call_indirect; arg is the type's class
	eventRefFunc                   // the function's index
	eventReturn                    // the opcode; arg is the depth of the function's label
	eventBulk                      // before an instruction that works as long as its topmost operand says
	eventGrow                      // memory.grow
	eventFill                      // memory.fill
	eventCopy                      // memory.copy
	eventInit                      // memory.init of a long segment; arg is the segment
)

// event is a place in a body. Events are all that is kept of the instructions.
type event struct {
	at     uint32 // in the module
	arg    uint32
	region uint32 // the loop in which it stands, of all loops; noLoop outside of them
	kind   eventKind
	length uint8 // how many bytes it stands for
}

const noLoop = ^uint32(0)

// scanned is what was found in all bodies.
type scanned struct {
	events []event
	loops  []loop

	tableWrites, dataDrops, elemDrops bool
	usesBulk, usesGrow                bool
	usesFill, usesCopy                bool
	longInits                         []uint32 // their segments
}

// loop is a loop of a body. Loops stand behind those around them.
type loop struct {
	cost   uint32 // instructions in it, outside the loops in it
	around uint32
	// backs is how many branches to it there are.
	backs uint32
	// header says that it is charged where it begins, as a branch to it can not be charged by itself.
	header bool
}

// scan reads all instructions.
func (m *module) scan() error {
	s := scanner{m: m}
	for i := range m.bodies {
		s.body(i)
		if s.err != nil {
			return fmt.Errorf("function %d, at byte 0x%x: %w", len(m.importedFuncs)+i, s.at, s.err)
		}
	}
	return nil
}

// frame is a block, loop or if whose end is still to come; the outermost is the function itself.
type frame struct {
	op     byte
	sets   int // instructions that set a local before it
	params int
	around uint32 // the loop around it
	loop   uint32 // for a loop, which it is
}

// scanner reads the instructions of one body after another.
type scanner struct {
	cursor
	m      *module
	b      *body
	at     int // where the instruction begins
	frames []frame
	loop   uint32
	values values
}

func (s *scanner) body(i int) {
	m := s.m
	b := &m.bodies[i]
	s.b = b
	s.cursor = cursor{b: m.raw[:b.end], i: int(b.start)}
	b.events, b.loops = len(m.events), len(m.loops)
	t := &m.types[m.funcs[i]]
	s.values = values{wide: wide(t.params) || wide(t.results), passed: len(t.params) + len(t.results)}
	locals := uint64(len(t.params))
	for n := s.u32(); n > 0 && s.err == nil; n-- {
		locals += uint64(s.u32()) // binary.Parse has limits for them
		s.values.wide = s.valueType() == typeV128 || s.values.wide
	}
	b.locals = uint32(locals)
	b.code = uint32(s.i)
	s.frames = append(s.frames[:0], frame{around: noLoop})
	s.loop = noLoop
	for len(s.frames) > 0 && s.err == nil {
		s.at = s.i
		s.instruction()
	}
	if s.err == nil && s.left() > 0 {
		s.failf("instructions behind the end of the function")
	}
	b.frame = s.values.bytes(b.locals)
}

// wide reports whether there is a value of more than eight bytes.
func wide(types []byte) bool {
	for _, t := range types {
		if t == typeV128 {
			return true
		}
	}
	return false
}

func (s *scanner) instruction() {
	op := s.byte()
	in := &instructions[op]
	switch in.imm {
	case immNone:
	case immLocal:
		s.below(int(s.b.locals), "local")
		if op != opLocalGet {
			s.values.sets++
		}
	case immMemory:
		s.u32()
		s.u32()
		s.values.results++ // the address
	case immI32:
		s.skipLEB(5)
	case immI64:
		s.skipLEB(10)
	case imm4:
		s.skip(4)
	case imm8:
		s.skip(8)
	case immZero:
		s.zero()
	case immOther:
		s.other(op)
	default:
		s.unknown(op)
	}
	s.values.results += int(in.results)
	s.count(op)
}

// count charges an instruction to its region. Brackets and nop compute nothing.
func (s *scanner) count(op byte) {
	switch op {
	case opNop, opBlock, opLoop, opElse, opEnd:
		return
	}
	s.b.instructions++
	s.charge(s.loop, 1)
}

// charge adds to what a region costs.
func (s *scanner) charge(loop, cost uint32) {
	if loop == noLoop {
		s.b.entry += cost
	} else {
		s.m.loops[loop].cost += cost
	}
}

// zero reads the index of the only memory.
func (s *scanner) zero() {
	if s.byte() != 0 {
		s.failf("there is one memory at most")
	}
}

func (s *scanner) event(kind eventKind, arg uint32, from int) {
	s.m.events = append(s.m.events, event{at: uint32(from), arg: arg, region: s.loop, kind: kind, length: uint8(s.i - from)})
}
