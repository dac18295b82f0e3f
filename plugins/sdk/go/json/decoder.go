// SPDX-License-Identifier: Apache-2.0

package json

// Decoder decodes JSON from front to back. The zero value decodes the empty text.
type Decoder struct {
	text  string
	pos   int // the next byte to read
	depth int // number of open objects and arrays
	err   error
	quiet bool // errors have no description; set while describing one
}

// NewDecoder returns a Decoder of text.
//
// Strings and Raws that it returns are slices of text if they contain no escapes, so decoding allocates nothing for
// them. Therefore the whole text stays in memory as long as one of them is referenced. Copy what outlives the call with
// strings.Clone.
func NewDecoder(text string) *Decoder { return &Decoder{text: text} }

// Err returns the first error, or nil.
func (d *Decoder) Err() error { return d.err }

// End returns the first error. It is an error if anything but white space is left.
func (d *Decoder) End() error {
	d.space()
	if d.err == nil && d.pos < len(d.text) {
		d.syntax("want the end of the text")
	}
	return d.err
}

// Kind returns the kind of the next value, without decoding it.
func (d *Decoder) Kind() Kind {
	d.space()
	if d.err != nil || d.pos >= len(d.text) {
		return KindInvalid
	}
	return kindOf(d.text[d.pos])
}

// Null decodes a null if that is the next value, and reports whether it was. It does not consume any other value:
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

// Skip skips one value. The value must still be valid JSON.
func (d *Decoder) Skip() { d.skipValue() }

// Raw returns one value as text, without the white space around it.
func (d *Decoder) Raw() Raw {
	d.space()
	start := d.pos
	d.skipValue()
	if d.err != nil {
		return ""
	}
	return Raw(d.text[start:d.pos])
}

// Bool decodes a boolean.
func (d *Decoder) Bool() bool {
	if !d.want(KindBool) {
		return false
	}
	return d.boolean()
}

// boolean decodes a literal that starts with a t or an f.
func (d *Decoder) boolean() bool {
	if d.at('t') {
		return d.literal("true")
	}
	d.literal("false")
	return false
}

// String decodes a string. An escaped surrogate without its other half becomes U+FFFD, as in encoding/json.
func (d *Decoder) String() string {
	if !d.want(KindString) {
		return ""
	}
	return d.str()
}

// want moves to the next value and reports whether it is of the given kind. A null is consumed and gives false, because
// it means the zero value. Any other kind is an error.
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

// literal consumes exactly these characters and reports whether they were there.
func (d *Decoder) literal(word string) bool {
	if len(d.text)-d.pos < len(word) || d.text[d.pos:d.pos+len(word)] != word {
		d.syntax("want " + word)
		return false
	}
	d.pos += len(word)
	return true
}
