// SPDX-License-Identifier: Apache-2.0

package json

// nesting records for every open level whether it is an object, in one bit each, so that skipping needs neither
// recursion nor allocation, however deep the text is.
type nesting [(MaxDepth + 63) / 64]uint64

func (n *nesting) set(level int, object bool) {
	bit := uint64(1) << (level % 64)
	if object {
		n[level/64] |= bit
	} else {
		n[level/64] &^= bit
	}
}

func (n *nesting) object(level int) bool { return n[level/64]>>(level%64)&1 == 1 }

// skipValue moves past the next value and checks all of it.
//
// Most of the text of most objects is skipped, and in WebAssembly function calls are expensive. Therefore one loop
// handles the common cases. The functions for decoding handle the others, and report errors.
func (d *Decoder) skipValue() {
	if d.err != nil {
		return
	}
	text, i := d.text, d.pos
	var open nesting
	base := d.depth
	name := false // the next token is the name of a member, not a value
	for {
		for i < len(text) && isSpace(text[i]) {
			i++
		}
		d.pos = i
		c := byte(0) // starts no value
		if i < len(text) {
			c = text[i]
		}
		switch {
		case c == '"':
			i++
			i += plain(text[i:])
			if i >= len(text) || text[i] != '"' {
				d.scanString()
				i = d.pos - 1
			}
			i++
		case name:
			d.syntax("want a name in quotes")
		case c == '{' || c == '[':
			if d.enter(c == '{') {
				name = c == '{'
				open.set(d.depth-1, name)
				i = d.pos
				continue
			}
			i = d.pos
		default:
			d.scanScalar()
			i = d.pos
		}
		if d.err != nil {
			return
		}
		if name {
			name = false
			if i < len(text) && text[i] == ':' {
				i++
				continue
			}
			d.pos = i
			if !d.colon() {
				return
			}
			i = d.pos
			continue
		}
		// After a value: close the objects and arrays that end here, up to the next value.
		for more := false; !more; {
			d.pos = i
			if d.depth == base {
				return
			}
			object := open.object(d.depth - 1)
			if i < len(text) && text[i] == ',' {
				i++
				more = true
			} else if more = d.next(object); d.err != nil {
				return
			} else {
				i = d.pos
			}
			name = more && object
		}
	}
}

// skipStart skips a scalar or an empty array or object, or enters one that is not empty.
func (d *Decoder) skipStart() (opened, object bool) {
	switch d.Kind() {
	case KindString:
		d.scanString()
	case KindObject, KindArray:
		object = d.at('{')
		opened = d.enter(object)
	default:
		d.scanScalar()
	}
	return opened, object
}

// scanScalar moves past a number or a literal.
func (d *Decoder) scanScalar() {
	switch d.Kind() {
	case KindNumber:
		d.scanNumber()
	case KindNull:
		d.literal("null")
	case KindBool:
		d.boolean()
	default:
		d.syntax("want a value")
	}
}
