// SPDX-License-Identifier: Apache-2.0

package binary

// Encodings of types in the binary format (core 3.0, section 5.3; core 2.0 has no prefixes).
const (
	typeFunc      = 0x60
	typeRecursive = 0x4e
	typeFuncRef   = 0x70
	typeExternRef = 0x6f
	refNull       = 0x63 // a prefix: (ref null …)
	ref           = 0x64 // a prefix: (ref …)
)

// Heap types that have a short form instead of a prefix.
const (
	heapFunc   = -0x10
	heapExtern = -0x11
)

// recursiveType reads one entry of the type section: a function type, or a group of function types.
func (p *parser) recursiveType(c *Cursor) {
	form := c.Byte()
	if form != typeRecursive {
		p.funcType(form, c)
		return
	}
	c.counted("types of a group", maxTypes, func() { p.funcType(c.Byte(), c) })
}

func (p *parser) funcType(form byte, c *Cursor) {
	if form != typeFunc {
		c.Fail(Unsupported(TypeFormProposal(form), "type form 0x%02x", form))
	}
	if len(p.types) == maxTypes { // a group may contain several
		c.Failf("%w: more than %d types", ErrLimit, maxTypes)
	}
	var t FuncType
	for _, list := range []*[]byte{&t.Params, &t.Results} {
		c.counted("parameters or results", maxParams, func() { *list = append(*list, valueType(c)) })
	}
	p.types = append(p.types, t)
}

// valueType reads a value type. It returns the prefix for a reference to a type that the module defines.
func valueType(c *Cursor) byte {
	t := c.Byte()
	if t != refNull && t != ref {
		return t
	}
	switch heap := c.Signed(33); {
	case t == refNull && heap == heapFunc:
		return typeFuncRef
	case t == refNull && heap == heapExtern:
		return typeExternRef
	default:
		return t
	}
}
