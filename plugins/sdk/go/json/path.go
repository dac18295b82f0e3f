// SPDX-License-Identifier: Apache-2.0

package json

import "strconv"

// step is one open object or array on the way to a value.
type step struct {
	object bool
	name   string // of the member being read, in an object
	index  int    // of the element being read, in an array
}

// pathAt returns the path of the value in text that holds the byte at offset. It is only called for
// errors: reading costs nothing for it.
func pathAt(text string, offset int) string {
	d := Decoder{text: text, quiet: true}
	var path []step
	passed := func() bool { return d.err != nil || d.pos > offset }
	for {
		opened, object := d.skipStart()
		if passed() {
			return render(path)
		}
		if opened {
			s := step{object: object}
			if object {
				s.name = d.name()
			}
			if passed() {
				return render(path)
			}
			path = append(path, s)
			continue
		}
		for len(path) > 0 {
			top := &path[len(path)-1]
			more := d.next(top.object)
			if more && top.object {
				top.name = d.name()
			}
			if passed() {
				return render(path[:len(path)-1])
			}
			if more {
				top.index++
				break
			}
			path = path[:len(path)-1]
		}
		if len(path) == 0 {
			return ""
		}
	}
}

// render writes a path as people write it: spec.tags[2].
func render(path []step) string {
	var out []byte
	for _, s := range path {
		if !s.object {
			out = append(out, '[')
			out = strconv.AppendInt(out, int64(s.index), 10)
			out = append(out, ']')
			continue
		}
		if len(out) > 0 {
			out = append(out, '.')
		}
		out = append(out, s.name...)
	}
	return string(out)
}
