// SPDX-License-Identifier: Apache-2.0

package binary

import (
	"encoding/binary"
	"errors"
)

// tableSpan remembers where a table's limits stand, and what they are.
type tableSpan struct {
	// before and after are what the table's entry has around its limits.
	before, after []byte
	limits        Limits
}

// tables reads the table section and keeps what CapTables needs to write it again.
func (p *parser) tables(r *reader) error {
	return r.vector("tables", maxTables, func() error {
		span, err := p.table(r)
		p.module.tables = append(p.module.tables, span)
		return err
	})
}

// table reads one table. One with an initializer has two bytes before its type (core 3.0, section
// 5.5.7) and an expression behind its limits.
func (p *parser) table(r *reader) (span tableSpan, err error) {
	start := r.b
	initialized := len(r.b) > 0 && r.b[0] == 0x40
	if initialized {
		head, err := r.bytes(2)
		if err != nil {
			return span, err
		}
		if head[1] != 0 {
			return span, errors.New("table of unknown form")
		}
	}
	if _, err := valueType(r); err != nil {
		return span, err
	}
	span.before = start[:len(start)-len(r.b)]
	if span.limits, err = limits(r); err != nil {
		return span, err
	}
	rest := r.b
	if initialized {
		if err := constantExpression(r); err != nil {
			return span, err
		}
	}
	span.after = rest[:len(rest)-len(r.b)]
	return span, within("elements in all tables", &p.tableElements, uint64(span.limits.Min), maxTableElements)
}

// CapTables returns the module with every table's maximum lowered to MaxTableElements, so that
// table.grow answers -1 beyond it: tables are no part of the linear memory, and an engine grows them as
// far as they may. The bytes must be those that were parsed; they come back as they are if no table
// needs a lower maximum.
func (m *Module) CapTables(module []byte) []byte {
	needed := false
	for _, t := range m.tables {
		needed = needed || !t.limits.HasMax || t.limits.Max > MaxTableElements
	}
	if !needed {
		return module
	}
	var body []byte
	body = binary.AppendUvarint(body, uint64(len(m.tables)))
	for _, t := range m.tables {
		maximum := uint64(MaxTableElements)
		if t.limits.HasMax {
			maximum = min(maximum, uint64(t.limits.Max))
		}
		body = append(body, t.before...)
		body = append(body, 1) // limits with a maximum
		body = binary.AppendUvarint(body, uint64(t.limits.Min))
		body = binary.AppendUvarint(body, maximum)
		body = append(body, t.after...)
	}
	out := make([]byte, 0, len(module)+len(body)+16)
	out = append(out, module[:m.tableStart]...)
	out = append(out, sectionTable)
	out = binary.AppendUvarint(out, uint64(len(body)))
	out = append(out, body...)
	return append(out, module[m.tableEnd:]...)
}
