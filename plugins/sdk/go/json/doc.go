// SPDX-License-Identifier: Apache-2.0

// Package json reads and writes JSON without reflection, for plugins in WebAssembly: there, the
// standard library's encoding/json costs a megabyte of module and most of a call's time.
//
// A type reads itself with a [Decoder] and writes itself with an [Encoder]:
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
// Errors stick: after the first one every read returns a zero value and every loop ends, so a method
// needs no error handling of its own, and [Unmarshal] and [Marshal] report it. Members that a method
// does not read are skipped.
//
// Reading is strict: exactly the grammar of RFC 8259, in valid UTF-8, at most [MaxDepth] levels deep.
// As Kubernetes does, null counts as absent: every read of null gives the zero value.
package json

// MaxDepth is how deeply arrays and objects may be nested. Kubernetes objects stay below a hundred.
const MaxDepth = 1000

// Unmarshaler is a value that reads itself.
type Unmarshaler interface {
	// UnmarshalK1s reads exactly one value and replaces what the receiver held before. It reports
	// what is wrong through d, with [Decoder.Fail].
	UnmarshalK1s(d *Decoder)
}

// Marshaler is a value that writes itself.
type Marshaler interface {
	// MarshalK1s writes exactly one value. It reports what is wrong through e, with [Encoder.Fail].
	MarshalK1s(e *Encoder)
}

// Unmarshal reads text, which is one JSON value and nothing else but white space, into a value. The
// error is an [*Error], or what the value's method failed with.
//
// Strings that are read share their memory with text: see [NewDecoder].
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

// Valid reports whether text is one JSON value and nothing else but white space.
func Valid(text string) bool {
	d := NewDecoder(text)
	d.Skip()
	return d.End() == nil
}
