// SPDX-License-Identifier: Apache-2.0

package object

import (
	"bytes"
	"encoding/json"
)

// managed are the fields of metadata that guests do not receive.
var managed = [][]byte{[]byte("managedFields")}

// bookkeeping are the fields of metadata that differ if only the finalizers were changed.
var bookkeeping = [][]byte{
	[]byte("managedFields"), []byte("finalizers"), []byte("resourceVersion"), []byte("generation"),
}

// Guests returns an object in the form that guests receive.
func Guests(object []byte) []byte { return withoutMetadata(object, managed) }

// Name returns an object's metadata.name, or "" if there is no object or no name.
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

// SameButFinalizers reports whether two states of an object differ at most in their finalizers, and in the fields that
// change with every write. The API server encodes both in the same order.
func SameButFinalizers(a, b []byte) bool {
	return bytes.Equal(withoutMetadata(a, bookkeeping), withoutMetadata(b, bookkeeping))
}

// withoutMetadata removes fields of metadata. An object without them is returned unchanged.
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

// offset returns the index in whole at which part, a slice of it, starts.
func offset(whole, part []byte) int { return cap(whole) - cap(part) }

// metadataOf returns an object's metadata, or nil if there is none.
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

// pair is a member of an object: its name without quotes, its value, and the unchanged text of both.
type pair struct{ name, value, all []byte }

// members iterates over the members of an object, up to the first syntax error.
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

// skipString returns the index after the string that starts at i. If the string does not end, it returns len(b)+1.
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

// skipValue returns the index after the value that starts at i.
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
			if depth == 0 { // the end of a number or a literal
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
