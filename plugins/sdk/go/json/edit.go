// SPDX-License-Identifier: Apache-2.0

package json

import "strconv"

// Get returns the value at a path of member names and decimal indices of elements. It returns false if there is no such
// value.
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

// seek moves to the value of a member or an element.
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

// Set returns r with the value at path replaced by a valid one. It creates objects in the path that are absent or null.
// The index after the last element of an array appends. It returns an error if the path leads through another kind of
// value, or beyond the end of an array.
func (r Raw) Set(value Raw, path ...string) (Raw, error) {
	if value == "" {
		value = "null"
	}
	return r.edit(value, path)
}

// Remove returns r without the value at path. It returns r unchanged if there is no such value.
func (r Raw) Remove(path ...string) (Raw, error) {
	if _, ok := r.Get(path...); !ok || len(path) == 0 {
		return r, nil
	}
	return r.edit("", path)
}

// edit copies r with the value at path replaced. An empty value removes it.
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

// edit decodes the next value and encodes it with the value at path replaced.
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

// quote returns a string encoded as JSON, for messages.
func quote(s string) string {
	var e Encoder
	e.String(s)
	return string(e.out)
}
