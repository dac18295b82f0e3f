// SPDX-License-Identifier: Apache-2.0

package binary

import (
	"encoding/binary"
	"slices"
)

// tableSpan holds the limits of a table and the bytes around them.
type tableSpan struct {
	// before and after are the bytes before and after the limits in the entry of the table.
	before, after []byte
	limits        Limits
}

// table reads one table, and returns the parts that CapTables needs to encode it again. A table with an initializer has
// two bytes before its type (core 3.0, section 5.5.7) and an expression after its limits.
func (p *parser) table(c *Cursor) (t tableSpan) {
	start := c.At
	initialized := c.Left() > 0 && c.Bytes[c.At] == 0x40
	if initialized {
		if head := c.Take(2); c.Err == nil && head[1] != 0 {
			c.Failf("table of unknown form")
		}
	}
	valueType(c)
	t.before = c.Bytes[start:c.At]
	t.limits = c.Limits()
	end := c.At
	if initialized {
		constantExpression(c)
	}
	t.after = c.Bytes[end:c.At]
	c.within("elements in all tables", &p.tableElements, uint64(t.limits.Min), maxTableElements)
	return t
}

// CapTables returns the module with the maximum of every table lowered to MaxTableElements, so that table.grow returns
// -1 above it. Tables are not part of the linear memory, and the engine lets them grow to their maximum. The module is
// returned unchanged if no table needs a lower maximum.
func (m *Module) CapTables() *Module {
	needed := false
	for _, t := range m.tables {
		needed = needed || !t.limits.HasMax || t.limits.Max > MaxTableElements
	}
	if !needed {
		return m
	}
	capped := *m
	capped.tables = slices.Clone(m.tables)
	var body []byte
	body = binary.AppendUvarint(body, uint64(len(m.tables)))
	for i := range capped.tables {
		t := &capped.tables[i]
		maximum := uint32(MaxTableElements)
		if t.limits.HasMax {
			maximum = min(maximum, t.limits.Max)
		}
		t.limits.Max, t.limits.HasMax = maximum, true
		body = append(body, t.before...)
		body = append(body, 1) // limits with a maximum
		body = binary.AppendUvarint(body, uint64(t.limits.Min))
		body = binary.AppendUvarint(body, uint64(maximum))
		body = append(body, t.after...)
	}
	old := m.sections[SectionTable]
	out := make([]byte, 0, len(m.Bytes)+len(body)+16)
	out = append(out, m.Bytes[:old.head]...)
	out = append(out, SectionTable)
	out = binary.AppendUvarint(out, uint64(len(body)))
	capped.sections[SectionTable] = span{head: old.head, start: len(out), end: len(out) + len(body)}
	out = append(out, body...)
	moved := len(out) - old.end
	for id, s := range m.sections {
		if s.head >= old.end {
			capped.sections[id] = span{head: s.head + moved, start: s.start + moved, end: s.end + moved}
		}
	}
	out = append(out, m.Bytes[old.end:]...)
	capped.Bytes = out
	return &capped
}
