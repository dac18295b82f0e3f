// SPDX-License-Identifier: Apache-2.0

package json

import "strconv"

// Get returns the value that path leads to: names of members, and indices of elements in decimal. It
// says false when nothing is there.
func (r Raw) Get(path ...string) (Raw, bool) {
	d := NewDecoder(string(r))
	for _, part := range path {
		if !d.seek(part) {
			return "", false
		}
	}
	value := d.Raw()
	return value, d.err == nil
}

// seek moves to a member's or an element's value.
func (d *Decoder) seek(part string) bool {
	kind := d.Kind()
	object := kind == KindObject
	if !object && kind != KindArray || !d.enter(object) {
		return false
	}
	for i := 0; ; i++ {
		if object && d.name() == part || !object && strconv.Itoa(i) == part {
			return d.err == nil
		}
		d.skipValue()
		if !d.next(object) {
			return false
		}
	}
}

// Set returns r with the value at path replaced by a valid one. Objects on the way that are absent or
// null are made; the index behind the last element of an array appends. It is an error when path leads
// through another kind of value, or beyond an array's end.
func (r Raw) Set(value Raw, path ...string) (Raw, error) {
	if value == "" {
		value = "null"
	}
	return r.edit(value, path)
}

// Remove returns r without the value at path. Where nothing is, nothing changes.
func (r Raw) Remove(path ...string) (Raw, error) {
	if _, ok := r.Get(path...); !ok || len(path) == 0 {
		return r, nil
	}
	return r.edit("", path)
}

// edit copies r with another value at path; the empty value removes.
func (r Raw) edit(value Raw, path []string) (Raw, error) {
	var e Encoder
	d := NewDecoder(string(r))
	if r == "" {
		d = NewDecoder("null")
	}
	d.edit(&e, value, path)
	if err := d.End(); err != nil {
		return r, err
	}
	return Raw(e.Bytes()), nil
}

// edit reads the value that comes next and writes it with the one at path replaced.
func (d *Decoder) edit(e *Encoder, value Raw, path []string) {
	if len(path) == 0 {
		d.Skip()
		e.Raw(value)
		return
	}
	switch d.Kind() {
	case KindObject, KindNull:
		d.editObject(e, value, path)
	case KindArray:
		d.editArray(e, value, path)
	default:
		d.Skip()
		d.Fail("want an object or an array, to get to " + quote(path[0]))
	}
}

func (d *Decoder) editObject(e *Encoder, value Raw, path []string) {
	found := false
	e.BeginObject()
	for name := range d.Members() {
		switch {
		case name != path[0]:
			e.Key(name).Raw(d.Raw())
		case value != "" || len(path) > 1:
			d.edit(e.Key(name), value, path[1:])
			fallthrough
		default:
			found = true
		}
	}
	if !found && value != "" {
		absent := NewDecoder("null")
		absent.edit(e.Key(path[0]), value, path[1:])
	}
	e.EndObject()
}

func (d *Decoder) editArray(e *Encoder, value Raw, path []string) {
	length, found := 0, false
	e.BeginArray()
	for i := range d.Elements() {
		length++
		switch {
		case strconv.Itoa(i) != path[0]:
			e.Raw(d.Raw())
		case value != "" || len(path) > 1:
			d.edit(e, value, path[1:])
			fallthrough
		default:
			found = true
		}
	}
	if !found && value != "" {
		if strconv.Itoa(length) != path[0] {
			d.Fail("want an index up to " + strconv.Itoa(length) + ", found " + quote(path[0]))
		}
		absent := NewDecoder("null")
		absent.edit(e, value, path[1:])
	}
	e.EndArray()
}

// quote returns a string as it stands in JSON, for messages.
func quote(s string) string {
	var e Encoder
	e.String(s)
	return string(e.out)
}
