// SPDX-License-Identifier: Apache-2.0

package merge

import (
	"strconv"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// unknown returns the path of a field of value that before does not have, or "". A null field counts as absent. An
// empty field does not, because emptyDir: {} and privileged: false have a meaning.
func unknown(value, before json.Raw) string {
	switch kindOf(value) {
	case json.KindObject:
		was := membersOf(before)
		for _, m := range membersOf(value).list {
			then, known := was.get(m.name)
			if isNull(m.value) {
				continue
			}
			if !known {
				return m.name
			}
			if inner := unknown(m.value, then); inner != "" {
				if inner[0] != '[' {
					inner = "." + inner
				}
				return m.name + inner
			}
		}
	case json.KindArray:
		return unknownElement(elementsOf(value), textsOf(before))
	}
	return ""
}

func unknownElement(there []element, was []json.Raw) string {
	if len(there) != len(was) {
		there = withoutNulls(there)
	}
	if len(there) != len(was) {
		if i := unknownScalar(there, was); i >= 0 {
			return "[" + strconv.Itoa(i) + "]"
		}
		return ""
	}
	for i, e := range there {
		inner := unknown(e.text, was[i])
		if inner == "" {
			continue
		}
		if inner[0] != '[' {
			inner = "." + inner
		}
		return "[" + strconv.Itoa(e.index) + "]" + inner
	}
	return ""
}

// unknownScalar returns the index of an element that is not in was, or −1. Objects and arrays are never in was, because
// it is unknown which element of was they correspond to.
func unknownScalar(there []element, was []json.Raw) int {
	known := make(map[json.Raw]bool, len(was))
	for _, text := range was {
		known[plain(text)] = true
	}
	for _, e := range there {
		if kind := kindOf(e.text); kind == json.KindObject || kind == json.KindArray || !known[plain(e.text)] {
			return e.index
		}
	}
	return -1
}

// plain encodes a string with only the necessary escapes, and returns other values unchanged.
func plain(raw json.Raw) json.Raw {
	if kindOf(raw) != json.KindString {
		return raw
	}
	var e json.Encoder
	e.String(json.NewDecoder(string(raw)).String())
	return json.Raw(e.Bytes())
}

// agree reports whether before can be the type's encoding of value: everything that both contain is equal.
func agree(value, before json.Raw) bool {
	if value == before || isNull(value) || isNull(before) {
		return true
	}
	kind := kindOf(value)
	if kind != kindOf(before) {
		return false
	}
	switch kind {
	case json.KindObject:
		was := membersOf(before)
		for _, m := range membersOf(value).list {
			if then, known := was.get(m.name); known && !agree(m.value, then) {
				return false
			}
		}
		return true
	case json.KindArray:
		there, was := textsOf(value), textsOf(before)
		if len(there) != len(was) {
			return false
		}
		for i := range there {
			if !agree(there[i], was[i]) {
				return false
			}
		}
		return true
	case json.KindNumber:
		a, b := json.NewDecoder(string(value)), json.NewDecoder(string(before))
		return a.Float() == b.Float() && a.Err() == nil && b.Err() == nil
	default:
		return plain(value) == plain(before)
	}
}
