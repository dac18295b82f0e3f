// SPDX-License-Identifier: Apache-2.0

package object

import (
	"bytes"
	"encoding/json"
)

// managed is what guests do not see of metadata.
var managed = [][]byte{[]byte("managedFields")}

// bookkeeping is what metadata differs by when nothing but its finalizers were changed.
var bookkeeping = [][]byte{
	[]byte("managedFields"), []byte("finalizers"), []byte("resourceVersion"), []byte("generation"),
}

// Guests returns an object as guests see it.
func Guests(object []byte) []byte { return withoutMetadata(object, managed) }

// Name returns an object's metadata.name; empty if there is no object or no name.
func Name(object []byte) string {
	var name string
	if value, ok := member(metadataOf(object), "name"); ok && json.Unmarshal(value, &name) != nil {
		return ""
	}
	return name
}

// Terminating reports whether an object is being deleted.
func Terminating(object []byte) bool {
	at, ok := member(metadataOf(object), "deletionTimestamp")
	return ok && !bytes.Equal(at, []byte("null"))
}

// SameButFinalizers reports whether two states of an object differ by their finalizers at most, and by what changes with
// every write. The API server writes both in the same order.
func SameButFinalizers(a, b []byte) bool {
	return bytes.Equal(withoutMetadata(a, bookkeeping), withoutMetadata(b, bookkeeping))
}

// withoutMetadata leaves members of metadata out. An object without them is returned as it is.
func withoutMetadata(object []byte, names [][]byte) []byte {
	metadata := metadataOf(object)
	if metadata == nil {
		return object
	}
	var kept [][]byte
	dropped := 0
	for m := range members(metadata) {
		if containsName(names, m.name) {
			dropped++
			continue
		}
		kept = append(kept, m.all)
	}
	if dropped == 0 {
		return object
	}
	start := offset(object, metadata)
	out := make([]byte, 0, len(object))
	out = append(append(out, object[:start]...), '{')
	out = append(out, bytes.Join(kept, []byte{','})...)
	return append(append(out, '}'), object[start+len(metadata):]...)
}

func containsName(names [][]byte, name []byte) bool {
	for _, n := range names {
		if bytes.Equal(n, name) {
			return true
		}
	}
	return false
}

// offset is where part, a slice of whole, begins.
func offset(whole, part []byte) int { return cap(whole) - cap(part) }

// metadataOf returns an object's metadata, nil if there is none.
func metadataOf(object []byte) []byte {
	value, _ := member(object, "metadata")
	return value
}

func member(object []byte, name string) ([]byte, bool) {
	for m := range members(object) {
		if string(m.name) == name {
			return m.value, true
		}
	}
	return nil, false
}

// pair is a member of an object: its name without quotes, its value, and both as they stand.
type pair struct{ name, value, all []byte }

// members goes through the members of an object, as far as they are JSON.
func members(object []byte) func(yield func(pair) bool) {
	return func(yield func(pair) bool) {
		i := skipSpace(object, 0)
		if i >= len(object) || object[i] != '{' {
			return
		}
		for i++; ; i++ {
			start := skipSpace(object, i)
			if start >= len(object) || object[start] != '"' {
				return
			}
			end := skipString(object, start)
			colon := skipSpace(object, end)
			if colon >= len(object) || object[colon] != ':' {
				return
			}
			value := skipSpace(object, colon+1)
			i = skipValue(object, value)
			if i == value {
				return
			}
			if !yield(pair{name: object[start+1 : end-1], value: object[value:i], all: object[start:i]}) {
				return
			}
			if i = skipSpace(object, i); i >= len(object) || object[i] != ',' {
				return
			}
		}
	}
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skipString returns what is behind the string that begins at i; a string that does not end is as long as b, and one
// longer.
func skipString(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b) + 1
}

// skipValue returns what is behind the value that begins at i.
func skipValue(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			if i = skipString(b, i); i > len(b) {
				return len(b)
			}
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // a number or a name ends here
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return len(b)
}
