// SPDX-License-Identifier: Apache-2.0

package json

import "strconv"

// step is one open object or array in the path of a value.
type step struct {
	object bool
	name   string // of the current member, in an object
	index  int    // of the current element, in an array
}

// pathAt returns the path of the value in text that contains the byte at offset. It is called only for errors, so that
// decoding has no overhead for paths.
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

// render formats a path for people: spec.tags[2].
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
