// SPDX-License-Identifier: Apache-2.0

package meter

// Instructions behind 0xfc (core 2.0, sections 5.4.4 to 5.4.7). Those before are saturating conversions.
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

// misc reads an instruction behind 0xfc.
func (s *scanner) misc() {
	m := s.m
	switch op := s.u32(); op {
	case 0, 1, 2, 3, 4, 5, 6, 7:
		s.values.results++
	case miscMemoryInit:
		s.data()
		s.zero()
		s.bulk()
	case miscDataDrop:
		s.data()
		m.dataDrops = true
	case miscMemoryCopy:
		s.zero()
		s.zero()
		s.bulk()
	case miscMemoryFill:
		s.zero()
		s.bulk()
	case miscTableInit:
		s.below(m.elements, "element segment")
		s.table()
		m.tableWrites = true
		s.bulk()
	case miscElemDrop:
		s.below(m.elements, "element segment")
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

func (s *scanner) data() { s.below(max(s.m.dataCount, 0), "data segment") }

// bulk is an instruction that works as long as its topmost operand says.
func (s *scanner) bulk() {
	s.m.usesBulk = true
	s.event(eventBulk, 0, s.at)
	s.m.events[len(s.m.events)-1].length = 0
	s.values.results++
}
