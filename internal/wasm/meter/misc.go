// SPDX-License-Identifier: Apache-2.0

package meter

// Second opcodes of instructions with the prefix 0xfc (core 2.0, sections 5.4.4 to 5.4.7). Lower values are saturating
// conversions.
const (
	miscMemoryInit = 8
	miscDataDrop   = 9
	miscMemoryCopy = 10
	miscMemoryFill = 11
	miscTableInit  = 12
	miscElemDrop   = 13
	miscTableCopy  = 14
	miscTableGrow  = 15
	miscTableSize  = 16
	miscTableFill  = 17
)

// misc reads an instruction with the prefix 0xfc.
func (s *scanner) misc() {
	m := s.m
	switch op := s.U32(); op {
	case 0, 1, 2, 3, 4, 5, 6, 7:
		s.values.results++
	case miscMemoryInit:
		s.memoryInit()
	case miscDataDrop:
		s.data()
		m.dataDrops = true
	case miscMemoryCopy:
		s.zero()
		s.zero()
		m.usesCopy = true
		s.ranged(eventCopy, 0)
	case miscMemoryFill:
		s.zero()
		m.usesFill = true
		s.ranged(eventFill, 0)
	case miscTableInit:
		s.Below(m.elements, "element segment")
		s.table()
		m.tableWrites = true
		s.bulk()
	case miscElemDrop:
		s.Below(m.elements, "element segment")
		m.elemDrops = true
	case miscTableCopy:
		s.table()
		s.table()
		m.tableWrites = true
		s.bulk()
	case miscTableGrow:
		s.table()
		m.tableWrites = true
		s.bulk()
	case miscTableSize:
		s.table()
		s.values.results++
	case miscTableFill:
		s.table()
		m.tableWrites = true
		s.bulk()
	default:
		s.unknownSecond(opMisc, op)
	}
}

func (s *scanner) data() uint32 { return s.Below(max(s.m.dataCount, 0), "data segment") }

// memoryInit reads the rest of a memory.init. Only a memory.init from a long segment can take long.
func (s *scanner) memoryInit() {
	segment := s.data()
	s.zero()
	if s.Err != nil || int(segment) >= len(s.m.data) || len(s.m.data[segment].content) <= int(s.m.chunk) {
		s.bulk()
		return
	}
	s.m.longInits = append(s.m.longInits, segment)
	s.ranged(eventInit, segment)
}

// ranged handles an instruction on a range of memory.
func (s *scanner) ranged(kind eventKind, arg uint32) {
	s.before(kind, arg)
	s.values.results += 3
}

// before adds an event before the instruction, which is kept.
func (s *scanner) before(kind eventKind, arg uint32) {
	s.event(kind, arg, s.at)
	s.m.events[len(s.m.events)-1].length = 0
}

// bulk handles an instruction whose duration depends on its topmost operand.
func (s *scanner) bulk() {
	s.m.usesBulk = true
	s.before(eventBulk, 0)
	s.values.results++
}
