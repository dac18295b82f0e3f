// SPDX-License-Identifier: Apache-2.0

package json

import "iter"

// Members decodes an object: it yields the name of each member, and the body of the loop decodes its value. A value
// that the body does not decode is skipped. If the loop ends early, the rest of the object is skipped. A null has no
// members.
//
// A name that occurs twice is yielded twice, so the last one wins.
func (d *Decoder) Members() iter.Seq[string] {
	return func(yield func(string) bool) { d.members(yield) }
}

// members is a separate function so that the compiler does not copy it into every loop.
func (d *Decoder) members(yield func(string) bool) {
	if !d.want(KindObject) || !d.enter(true) {
		return
	}
	for wanted := true; ; {
		name := d.name()
		if d.err != nil {
			return
		}
		value := d.pos
		wanted = wanted && yield(name)
		if d.pos == value {
			d.skipValue()
		}
		if !d.next(true) {
			return
		}
	}
}

// Elements decodes an array: it yields the index of each element, and the body of the loop decodes the element.
// Elements that the body does not decode are skipped as in [Decoder.Members].
func (d *Decoder) Elements() iter.Seq[int] {
	return func(yield func(int) bool) { d.elements(yield) }
}

func (d *Decoder) elements(yield func(int) bool) {
	if !d.want(KindArray) || !d.enter(false) {
		return
	}
	wanted := true
	for i := 0; ; i++ {
		d.space()
		value := d.pos
		wanted = wanted && yield(i)
		if d.pos == value {
			d.skipValue()
		}
		if !d.next(false) {
			return
		}
	}
}

// Strings decodes an array of strings. It returns nil for null and for an empty array.
func (d *Decoder) Strings() []string {
	var list []string
	for range d.Elements() {
		list = append(list, d.String())
	}
	return list
}

// StringMap decodes an object whose values are strings, such as labels. It returns nil for null and for an empty
// object.
func (d *Decoder) StringMap() map[string]string {
	var m map[string]string
	for name := range d.Members() {
		if m == nil {
			m = make(map[string]string)
		}
		m[name] = d.String()
	}
	return m
}

// enter consumes the opening bracket, and the closing one if nothing is between them. It reports whether there is a
// first value.
func (d *Decoder) enter(object bool) bool {
	if d.depth >= MaxDepth {
		d.fail("nested too deeply", d.pos)
		return false
	}
	d.pos++
	d.space()
	if d.at(closing(object)) {
		d.pos++
		return false
	}
	d.depth++
	return true
}

// next consumes the comma after a value, or the closing bracket. It reports whether another value follows.
func (d *Decoder) next(object bool) bool {
	if d.err != nil {
		return false
	}
	d.space()
	if d.at(',') {
		d.pos++
		return true
	}
	if d.at(closing(object)) {
		d.pos++
		d.depth--
		return false
	}
	d.syntax("want , or " + string(rune(closing(object))))
	return false
}

// name decodes the name of a member, consumes the colon, and moves to the value.
func (d *Decoder) name() string {
	d.space()
	if !d.at('"') {
		d.syntax("want a name in quotes")
		return ""
	}
	name := d.str()
	if d.err != nil || !d.colon() {
		return ""
	}
	d.space()
	return name
}

// colon consumes the colon after a name.
func (d *Decoder) colon() bool {
	d.space()
	if !d.at(':') {
		d.syntax("want :")
		return false
	}
	d.pos++
	return true
}

func closing(object bool) byte {
	if object {
		return '}'
	}
	return ']'
}
