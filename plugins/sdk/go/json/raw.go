// SPDX-License-Identifier: Apache-2.0

package json

// Raw is one JSON value as text. The empty Raw is an absent value and is encoded as null.
type Raw string

// UnmarshalK1s stores the next value unchanged.
func (r *Raw) UnmarshalK1s(d *Decoder) { *r = d.Raw() }

// MarshalK1s writes the value unchanged.
func (r Raw) MarshalK1s(e *Encoder) { e.Raw(r) }

// Decode decodes the value into another one.
func (r Raw) Decode(into Unmarshaler) error { return Unmarshal(string(r), into) }
