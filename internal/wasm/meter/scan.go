// SPDX-License-Identifier: Apache-2.0

package meter

import (
	"fmt"

	"github.com/k1s-io/k1s/internal/wasm/binary"
)

// body is a function that the module defines.
type body struct {
	start, end uint32 // offsets in the module of the declarations of locals and the instructions
	code       uint32 // offset of the instructions
	locals     uint32 // including parameters
	// events and loops are the indices of its first event and loop in scanned. They end at those of the next body.
	events, loops int
	entry         uint32 // cost of the instructions outside loops
	instructions  uint32
	// blocks counts blocks, loops and ifs. targets counts the labels of br_table instructions.
	blocks, targets uint64
	widest          uint32 // maximum number of parameters and results of a block
	frame           uint64 // maximum number of bytes of call stack
}

// eventKind is the kind of an instruction or a position in a body that may have to be rewritten.
type eventKind uint8

const (
	eventLoop     eventKind = iota // the beginning of the body of a loop; arg is the loop
	eventBack                      // br to a loop; arg is the loop
	eventBackIf                    // br_if to a loop; arg is the loop
	eventCall                      // the function index of a call; arg is the index
	eventIndirect                  // call_indirect; arg is the class of the type
	eventRefFunc                   // the function index of a ref.func; arg is the index
	eventReturn                    // the opcode; arg is the depth of the label of the function
	eventBulk                      // before an instruction whose duration depends on its topmost operand
	eventGrow                      // memory.grow
	eventFill                      // memory.fill
	eventCopy                      // memory.copy
	eventInit                      // memory.init of a long segment; arg is the segment
)

// event is a position in a body. Of the instructions, only the events are kept.
type event struct {
	at     uint32 // offset in the module
	arg    uint32
	region uint32 // index of the innermost loop around it among all loops, or noLoop
	kind   eventKind
	length uint8 // number of bytes that it replaces
}

const noLoop = ^uint32(0)

// scanned is the result of scanning all bodies.
type scanned struct {
	events []event
	loops  []loop

	tableWrites, dataDrops, elemDrops bool
	usesBulk, usesGrow                bool
	usesFill, usesCopy                bool
	longInits                         []uint32 // their segment indices
}

// loop is a loop of a body. The loops around a loop come before it.
type loop struct {
	cost   uint32 // instructions in it, without nested loops
	around uint32
	// backs is the number of branches to the loop.
	backs uint32
	// header reports whether the loop is charged at its beginning, because a branch to it cannot be charged
	// individually.
	header bool
}

// scan reads all instructions.
func (m *module) scan() error {
	s := scanner{m: m}
	for i := range m.bodies {
		s.body(i)
		if s.Err != nil {
			return fmt.Errorf("function %d, at byte 0x%x: %w", len(m.importedFuncs)+i, s.at, s.Err)
		}
	}
	return nil
}

// frame is a block, loop or if that has not ended yet. The outermost frame is the function itself.
type frame struct {
	op     byte
	sets   int // number of instructions before it that set a local
	params int
	around uint32 // the loop around it
	loop   uint32 // the index of the loop, if it is one
}

// scanner reads the instructions of the bodies.
type scanner struct {
	cursor
	m      *module
	b      *body
	at     int // offset of the current instruction
	frames []frame
	loop   uint32
	values values
}

func (s *scanner) body(i int) {
	m := s.m
	b := &m.bodies[i]
	s.b = b
	s.cursor = cursor{binary.Cursor{Bytes: m.Bytes[:b.end], At: int(b.start)}}
	b.events, b.loops = len(m.events), len(m.loops)
	t := &m.types[m.funcs[i]]
	s.values = values{wide: wide(t.params) || wide(t.results), passed: len(t.params) + len(t.results)}
	locals := uint64(len(t.params))
	for n := s.U32(); n > 0 && s.Err == nil; n-- {
		locals += uint64(s.U32()) // binary.Parse limits their number
		s.values.wide = s.valueType() == typeV128 || s.values.wide
	}
	b.locals = uint32(locals)
	b.code = uint32(s.At)
	s.frames = append(s.frames[:0], frame{around: noLoop})
	s.loop = noLoop
	for len(s.frames) > 0 && s.Err == nil {
		s.at = s.At
		s.instruction()
	}
	if s.Err == nil && s.Left() > 0 {
		s.Failf("instructions behind the end of the function")
	}
	b.frame = s.values.bytes(b.locals)
}

// wide reports whether one of the types is larger than eight bytes.
func wide(types []byte) bool {
	for _, t := range types {
		if t == typeV128 {
			return true
		}
	}
	return false
}

func (s *scanner) instruction() {
	op := s.Byte()
	in := &instructions[op]
	switch in.imm {
	case immNone:
	case immLocal:
		s.Below(int(s.b.locals), "local")
		if op != opLocalGet {
			s.values.sets++
		}
	case immMemory:
		s.U32()
		s.U32()
		s.values.results++ // the address of the memory access
	case immI32:
		s.SkipLEB(32)
	case immI64:
		s.SkipLEB(64)
	case imm4:
		s.Take(4)
	case imm8:
		s.Take(8)
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

// count charges an instruction to its region. Block delimiters and nop are free.
func (s *scanner) count(op byte) {
	switch op {
	case opNop, opBlock, opLoop, opElse, opEnd:
		return
	}
	s.b.instructions++
	s.charge(s.loop, 1)
}

// charge adds a cost to a region.
func (s *scanner) charge(loop, cost uint32) {
	if loop == noLoop {
		s.b.entry += cost
	} else {
		s.m.loops[loop].cost += cost
	}
}

// zero reads the index of the only memory.
func (s *scanner) zero() {
	if s.Byte() != 0 {
		s.Failf("there is one memory at most")
	}
}

func (s *scanner) event(kind eventKind, arg uint32, from int) {
	s.m.events = append(s.m.events, event{at: uint32(from), arg: arg, region: s.loop, kind: kind, length: uint8(s.At - from)})
}
