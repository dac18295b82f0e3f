// SPDX-License-Identifier: Apache-2.0

package json

// Raw is one JSON value as text. The empty Raw stands for an absent value and is written as null.
type Raw string

// UnmarshalK1s keeps the value that comes next as it is.
func (r *Raw) UnmarshalK1s(d *Decoder) { *r = d.Raw() }

// MarshalK1s writes the value as it is.
func (r Raw) MarshalK1s(e *Encoder) { e.Raw(r) }

// Decode reads the value into another one.
func (r Raw) Decode(into Unmarshaler) error { return Unmarshal(string(r), into) }
