// SPDX-License-Identifier: Apache-2.0

package json

import (
	"errors"
	"math"
	"slices"
	"strconv"
)

// Encoder encodes JSON without white space. The zero value is ready for use.
//
// Its methods are not inlined: in WebAssembly every append takes a hundred bytes or more, and the methods of a type are
// chains of these calls.
//
// It writes commas where they are needed. The caller must ensure that every Begin has its End, and that in an object
// every value has its Key.
type Encoder struct {
	out []byte
	err error
}

// Bytes returns what was written. It is valid until the next write.
func (e *Encoder) Bytes() []byte { return e.out }

// Err returns the first error, or nil.
func (e *Encoder) Err() error { return e.err }

// Fail records that the value cannot be encoded. Only the first error counts.
func (e *Encoder) Fail(message string) {
	if e.err == nil {
		e.err = errors.New(message)
	}
}

// Grow reserves space for n more bytes, so that writing them allocates nothing.
func (e *Encoder) Grow(n int) { e.out = slices.Grow(e.out, n) }

// BeginObject opens an object.
//
//go:noinline
func (e *Encoder) BeginObject() {
	e.comma()
	e.out = append(e.out, '{')
}

// EndObject closes an object.
//
//go:noinline
func (e *Encoder) EndObject() { e.out = append(e.out, '}') }

// BeginArray opens an array.
//
//go:noinline
func (e *Encoder) BeginArray() {
	e.comma()
	e.out = append(e.out, '[')
}

// EndArray closes an array.
//
//go:noinline
func (e *Encoder) EndArray() { e.out = append(e.out, ']') }

// Key writes the name of a member, whose value is written next. It returns the Encoder for that:
//
//	e.Key("depth").Int(3)
//
//go:noinline
func (e *Encoder) Key(name string) *Encoder {
	e.String(name)
	e.out = append(e.out, ':')
	return e
}

// Null writes null.
//
//go:noinline
func (e *Encoder) Null() {
	e.comma()
	e.out = append(e.out, "null"...)
}

// Bool writes a boolean.
//
//go:noinline
func (e *Encoder) Bool(b bool) {
	e.comma()
	e.out = strconv.AppendBool(e.out, b)
}

// Int writes an integer.
//
//go:noinline
func (e *Encoder) Int(n int64) {
	e.comma()
	e.out = strconv.AppendInt(e.out, n, 10)
}

// Float writes a number. NaN and infinities are errors, because JSON cannot contain them.
func (e *Encoder) Float(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		e.Fail("JSON has no NaN and no infinity")
		f = 0
	}
	e.comma()
	e.out = strconv.AppendFloat(e.out, f, 'g', -1, 64)
}

// Raw writes a value unchanged. It must be valid JSON, which is not checked. The empty Raw is written as null.
func (e *Encoder) Raw(raw Raw) {
	if raw == "" {
		e.Null()
		return
	}
	e.comma()
	e.out = append(e.out, raw...)
}

// Value writes a value with its own method.
func (e *Encoder) Value(v Marshaler) { v.MarshalK1s(e) }

// Strings writes an array of strings.
func (e *Encoder) Strings(list []string) {
	e.BeginArray()
	for _, s := range list {
		e.String(s)
	}
	e.EndArray()
}

// StringMap writes an object whose values are strings. It sorts them by name, so that equal maps give equal text.
func (e *Encoder) StringMap(m map[string]string) {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	e.BeginObject()
	for _, name := range names {
		e.Key(name).String(m[name])
	}
	e.EndObject()
}

// comma writes a comma if a value precedes. The last byte decides: after an opening bracket or a colon there is no
// comma, and no value ends in one of these.
//
//go:noinline
func (e *Encoder) comma() {
	if len(e.out) == 0 {
		return
	}
	switch e.out[len(e.out)-1] {
	case '{', '[', ':':
	default:
		e.out = append(e.out, ',')
	}
}
