// SPDX-License-Identifier: Apache-2.0

package binary

// elements reads one element segment. Its form has three bits (core 2.0, section 5.5.12): bit 0 means passive or
// declarative, bit 1 means an explicit table index (or, with bit 0, declarative), and bit 2 means expressions instead
// of function indices.
func (p *parser) elements(c *Cursor) {
	form := c.U32()
	if form > 7 {
		c.Failf("element segment of form %d", form)
	}
	active, explicit, expressions := form&1 == 0, form&2 != 0, form&4 != 0
	if active {
		if explicit {
			c.U32() // the table index
		}
		constantExpression(c)
	}
	switch {
	case form == 0 || form == 4: // the elements are implicitly functions
	case expressions:
		valueType(c)
	default:
		c.Byte() // the element kind, which is always function
	}
	n := c.count("elements", maxElementInits)
	c.within("elements in all segments", &p.inits, uint64(n), maxElementInits)
	for ; n > 0 && c.Err == nil; n-- {
		if expressions {
			constantExpression(c)
		} else {
			c.U32()
		}
	}
}

// data reads one data segment. Bit 0 of its form means passive, bit 1 means an explicit memory index.
func data(c *Cursor) {
	form := c.U32()
	if form > 2 {
		c.Failf("data segment of form %d", form)
	}
	if form == 2 {
		c.U32() // the memory index
	}
	if form != 1 {
		constantExpression(c)
	}
	c.Take(c.U32())
}

// code reads one function body. It counts the locals and skips the instructions.
func (p *parser) code(c *Cursor) {
	size := c.U32()
	var sum uint64
	c.within("bytes in a function body", &sum, uint64(size), maxBody)
	body := &Cursor{Bytes: c.Take(size)}
	var locals uint64
	body.counted("groups of locals", maxLocals, func() {
		n := uint64(body.U32())
		body.within("locals in a function", &locals, n, maxLocals)
		body.within("locals in all functions", &p.locals, n, maxAllLocals)
		valueType(body)
	})
	if body.Err != nil {
		c.Fail(body.Err)
	}
}
