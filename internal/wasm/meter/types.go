// SPDX-License-Identifier: Apache-2.0

package meter

import "github.com/k1s-io/k1s/internal/wasm/binary"

// Value types, and forms of other types (core 2.0, section 5.3).
const (
	typeI32       = 0x7f
	typeI64       = 0x7e
	typeF32       = 0x7d
	typeF64       = 0x7c
	typeV128      = 0x7b
	typeFuncRef   = 0x70
	typeExternRef = 0x6f
	typeFunc      = 0x60
	typeEmpty     = 0x40
)

// funcType is the type of a function. Equal types have the same class.
type funcType struct {
	params, results []byte
	class           uint32
}

// cursor is a binary.Cursor that also reads types of core 2.0, and rejects others.
type cursor struct{ binary.Cursor }

func newCursor(b []byte) *cursor { return &cursor{binary.Cursor{Bytes: b}} }

func isReference(t byte) bool { return t == typeFuncRef || t == typeExternRef }

func isValue(t byte) bool { return t >= typeV128 && t <= typeI32 || isReference(t) }

func (c *cursor) valueType() byte {
	t := c.Byte()
	if c.Err == nil && !isValue(t) {
		c.unknownType("value type", t)
	}
	return t
}

func (c *cursor) unknownType(what string, t byte) {
	c.Fail(binary.Unsupported(binary.ValueTypeProposal(t), "%s 0x%02x", what, t))
}

func (c *cursor) referenceType() byte {
	t := c.Byte()
	if c.Err == nil && !isReference(t) {
		c.unknownType("reference type", t)
	}
	return t
}

func (c *cursor) funcType() (t funcType) {
	if form := c.Byte(); c.Err == nil && form != typeFunc {
		c.Fail(binary.Unsupported(binary.TypeFormProposal(form), "type form 0x%02x", form))
	}
	for _, list := range []*[]byte{&t.params, &t.results} {
		*list = c.Take(c.U32())
		for _, v := range *list {
			if !isValue(v) {
				c.unknownType("value type", v)
			}
		}
	}
	return t
}
