// SPDX-License-Identifier: Apache-2.0

package binary

import "fmt"

// elements reads one element segment. Its form has three bits (core 2.0, section 5.5.12): bit 0 means passive or
// declarative, bit 1 means an explicit table index (or, with bit 0, declarative), and bit 2 means expressions instead
// of function indices.
func (p *parser) elements(r *reader) error {
	form, err := r.u32()
	if err != nil {
		return err
	}
	if form > 7 {
		return fmt.Errorf("element segment of form %d", form)
	}
	active, explicit, expressions := form&1 == 0, form&2 != 0, form&4 != 0
	if active {
		if explicit {
			if _, err := r.u32(); err != nil { // the table index
				return err
			}
		}
		if err := constantExpression(r); err != nil {
			return err
		}
	}
	switch {
	case form == 0 || form == 4: // the elements are implicitly functions
	case expressions:
		_, err = valueType(r)
	default:
		_, err = r.byte() // the element kind, which is always function
	}
	if err != nil {
		return err
	}
	each := func() error { _, err := r.u32(); return err }
	if expressions {
		each = func() error { return constantExpression(r) }
	}
	n, err := r.count("elements", maxElementInits)
	if err == nil {
		err = within("elements in all segments", &p.inits, uint64(n), maxElementInits)
	}
	for range n {
		if err == nil {
			err = each()
		}
	}
	return err
}

// data reads one data segment. Bit 0 of its form means passive, bit 1 means an explicit memory index.
func data(r *reader) error {
	form, err := r.u32()
	if err != nil {
		return err
	}
	switch form {
	case 0, 2:
		if form == 2 {
			if _, err := r.u32(); err != nil { // the memory index
				return err
			}
		}
		if err := constantExpression(r); err != nil {
			return err
		}
	case 1:
	default:
		return fmt.Errorf("data segment of form %d", form)
	}
	n, err := r.u32()
	if err != nil {
		return err
	}
	_, err = r.bytes(n)
	return err
}

// code reads one function body. It counts the locals and skips the instructions.
func (p *parser) code(r *reader) error {
	size, err := r.u32()
	if err != nil {
		return err
	}
	var sum uint64
	if err := within("bytes in a function body", &sum, uint64(size), maxBody); err != nil {
		return err
	}
	b, err := r.bytes(size)
	if err != nil {
		return err
	}
	body := &reader{b: b}
	var locals uint64
	return body.vector("groups of locals", maxLocals, func() error {
		n, err := body.u32()
		if err != nil {
			return err
		}
		if err := within("locals in a function", &locals, uint64(n), maxLocals); err != nil {
			return err
		}
		if err := within("locals in all functions", &p.locals, uint64(n), maxAllLocals); err != nil {
			return err
		}
		_, err = valueType(body)
		return err
	})
}
