// SPDX-License-Identifier: Apache-2.0

package binary

import (
	"encoding/binary"
	"errors"
)

// tableSpan holds the limits of a table and the bytes around them.
type tableSpan struct {
	// before and after are the bytes before and after the limits in the entry of the table.
	before, after []byte
	limits        Limits
}

// tables reads the table section and keeps the parts that CapTables needs to encode it again.
func (p *parser) tables(r *reader) error {
	return r.vector("tables", maxTables, func() error {
		span, err := p.table(r)
		p.module.tables = append(p.module.tables, span)
		return err
	})
}

// table reads one table. A table with an initializer has two bytes before its type (core 3.0, section 5.5.7) and an
// expression after its limits.
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

// CapTables returns the module with the maximum of every table lowered to MaxTableElements, so that table.grow returns
// -1 above it. Tables are not part of the linear memory, and the engine lets them grow to their maximum. The bytes must
// be the ones that were parsed. They are returned unchanged if no table needs a lower maximum.
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
