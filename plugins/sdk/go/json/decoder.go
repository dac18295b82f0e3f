// SPDX-License-Identifier: Apache-2.0

package json

// Decoder reads JSON from front to back. The zero value reads the empty text.
type Decoder struct {
	text  string
	pos   int // the next byte to read
	depth int // how many objects and arrays are open
	err   error
	quiet bool // errors are not described: set while describing one
}

// NewDecoder returns a Decoder of text.
//
// Strings and Raws that it returns are slices of text wherever they hold no escape, so reading costs
// no allocations. The price: as long as one of them is kept, text is kept as a whole. Copy with
// strings.Clone what outlives the call.
func NewDecoder(text string) *Decoder { return &Decoder{text: text} }

// Err returns the first error, or nil.
func (d *Decoder) Err() error { return d.err }

// End returns the first error, and it is one when anything but white space is left.
func (d *Decoder) End() error {
	d.space()
	if d.err == nil && d.pos < len(d.text) {
		d.syntax("want the end of the text")
	}
	return d.err
}

// Kind returns the kind of the value that comes next, without reading it.
func (d *Decoder) Kind() Kind {
	d.space()
	if d.err != nil || d.pos >= len(d.text) {
		return KindInvalid
	}
	return kindOf(d.text[d.pos])
}

// Null reads a null if that comes next and says so; anything else is left to be read:
//
//	if !d.Null() {
//		depth := d.Int32()
//		s.Depth = &depth
//	}
//
// After an error it returns true, so that nothing is set.
func (d *Decoder) Null() bool {
	switch d.Kind() {
	case KindNull:
		d.literal("null")
		return true
	case KindInvalid:
		if d.err == nil {
			d.syntax("want a value")
		}
		return true
	default:
		return false
	}
}

// Skip reads one value and forgets it. The value must be valid JSON all the same.
func (d *Decoder) Skip() { d.skipValue() }

// Raw reads one value as its text, without the white space around it.
func (d *Decoder) Raw() Raw {
	d.space()
	start := d.pos
	d.skipValue()
	if d.err != nil {
		return ""
	}
	return Raw(d.text[start:d.pos])
}

// Bool reads a boolean.
func (d *Decoder) Bool() bool {
	if !d.want(KindBool) {
		return false
	}
	return d.boolean()
}

// boolean reads what begins with a t or an f.
func (d *Decoder) boolean() bool {
	if d.at('t') {
		return d.literal("true")
	}
	d.literal("false")
	return false
}

// String reads a string. A half of a surrogate pair that is escaped alone becomes U+FFFD, as in
// encoding/json.
func (d *Decoder) String() string {
	if !d.want(KindString) {
		return ""
	}
	return d.str()
}

// want gets to the next value and reports whether it is of that kind. A null is read and gives false, as
// it stands for the zero value; any other kind is an error.
func (d *Decoder) want(k Kind) bool {
	d.space()
	if d.err != nil {
		return false
	}
	var found Kind
	if d.pos < len(d.text) {
		found = kindOf(d.text[d.pos])
	}
	switch found {
	case k:
		return true
	case KindNull:
		d.literal("null")
	case KindInvalid:
		d.syntax("want a value")
	default:
		d.fail("want "+article(k)+", found "+article(found), d.pos)
	}
	return false
}

func article(k Kind) string {
	switch k {
	case KindNull, KindInvalid:
		return k.String()
	case KindArray, KindObject:
		return "an " + k.String()
	default:
		return "a " + k.String()
	}
}

// space moves to the next byte that is not white space.
func (d *Decoder) space() {
	for d.pos < len(d.text) && isSpace(d.text[d.pos]) {
		d.pos++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// literal reads exactly these characters and reports whether they were there.
func (d *Decoder) literal(word string) bool {
	if len(d.text)-d.pos < len(word) || d.text[d.pos:d.pos+len(word)] != word {
		d.syntax("want " + word)
		return false
	}
	d.pos += len(word)
	return true
}
