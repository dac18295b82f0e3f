// SPDX-License-Identifier: Apache-2.0

// Package json implements the encoding and decoding of JSON without reflection, for plugins in WebAssembly. In a
// plugin, the standard library's encoding/json would add a megabyte to the module and take most of a call's time.
//
// A type decodes itself with a [Decoder] and encodes itself with an [Encoder]:
//
//	type Spec struct {
//		Name string
//		Tags []string
//	}
//
//	func (s *Spec) UnmarshalK1s(d *json.Decoder) {
//		*s = Spec{}
//		for name := range d.Members() {
//			switch name {
//			case "name":
//				s.Name = d.String()
//			case "tags":
//				s.Tags = d.Strings()
//			}
//		}
//	}
//
//	func (s *Spec) MarshalK1s(e *json.Encoder) {
//		e.BeginObject()
//		e.Key("name").String(s.Name)
//		if len(s.Tags) > 0 {
//			e.Key("tags").Strings(s.Tags)
//		}
//		e.EndObject()
//	}
//
// The first error is kept: after it, every read returns a zero value and every loop ends. A method therefore needs no
// error handling, and [Unmarshal] and [Marshal] return the error. Members that a method does not read are skipped.
//
// Decoding is strict: it accepts exactly the grammar of RFC 8259, in valid UTF-8, at most [MaxDepth] levels deep. As in
// Kubernetes, null counts as absent: every read of null returns the zero value.
package json

// MaxDepth is the maximum nesting depth of arrays and objects. Kubernetes objects stay below a hundred.
const MaxDepth = 1000

// Unmarshaler is a value that decodes itself.
type Unmarshaler interface {
	// UnmarshalK1s decodes exactly one value and replaces the previous contents of the receiver. It reports errors with
	// [Decoder.Fail].
	UnmarshalK1s(d *Decoder)
}

// Marshaler is a value that encodes itself.
type Marshaler interface {
	// MarshalK1s encodes exactly one value. It reports errors with [Encoder.Fail].
	MarshalK1s(e *Encoder)
}

// Unmarshal decodes text, which is one JSON value and optional white space, into a value. The error is an [*Error], or
// the error that the value's method reported.
//
// Decoded strings share their memory with text: see [NewDecoder].
func Unmarshal(text string, into Unmarshaler) error {
	d := NewDecoder(text)
	into.UnmarshalK1s(d)
	return d.End()
}

// Marshal returns a value as JSON.
func Marshal(v Marshaler) ([]byte, error) {
	var e Encoder
	v.MarshalK1s(&e)
	return e.Bytes(), e.Err()
}

// Valid reports whether text is one JSON value and optional white space.
func Valid(text string) bool {
	d := NewDecoder(text)
	d.Skip()
	return d.End() == nil
}
