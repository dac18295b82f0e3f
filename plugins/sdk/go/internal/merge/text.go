// SPDX-License-Identifier: Apache-2.0

package merge

import (
	"strconv"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// path is the path of a value. Nil is the path of the object itself.
type path struct {
	parent *path
	name   string // of a member; empty for an element
	index  int    // of an element
}

// String formats a path for people: spec.containers[1].
func (p *path) String() string {
	if p == nil {
		return ""
	}
	parent := p.parent.String()
	switch {
	case p.name == "":
		return parent + "[" + strconv.Itoa(p.index) + "]"
	case parent == "":
		return p.name
	default:
		return parent + "." + p.name
	}
}

func quote(s string) string { return `"` + s + `"` }

func kindOf(raw json.Raw) json.Kind { return json.NewDecoder(string(raw)).Kind() }

// isNull reports whether a value is null or absent.
func isNull(raw json.Raw) bool {
	kind := kindOf(raw)
	return kind == json.KindNull || kind == json.KindInvalid
}

type member struct {
	name  string
	value json.Raw
}

// members are the members of an object, in order.
type members struct {
	list  []member
	index map[string]int // index of the last one of each name; nil for a short list
}

// short is the maximum number of members that are searched without an index.
const short = 16

// membersOf returns the members of an object. Any other value has no members.
func membersOf(raw json.Raw) (all members) {
	d := json.NewDecoder(string(raw))
	for name := range d.Members() {
		all.list = append(all.list, member{name, d.Raw()})
	}
	if len(all.list) > short {
		all.index = make(map[string]int, len(all.list))
		for i, m := range all.list {
			all.index[m.name] = i
		}
	}
	return all
}

// last returns the index of the last member of a name, which is the one that counts, or −1.
func (m *members) last(name string) int {
	if m.index != nil {
		if i, ok := m.index[name]; ok {
			return i
		}
		return -1
	}
	for i := len(m.list) - 1; i >= 0; i-- {
		if m.list[i].name == name {
			return i
		}
	}
	return -1
}

func (m *members) get(name string) (json.Raw, bool) {
	i := m.last(name)
	if i < 0 {
		return "", false
	}
	return m.list[i].value, true
}

// isLast reports whether no later member has the same name.
func (m *members) isLast(i int) bool { return m.last(m.list[i].name) == i }

// element is an element of a list, with its index in the object as it was sent.
type element struct {
	index int
	text  json.Raw
}

// elementsOf returns the elements of an array. Any other value has no elements.
func elementsOf(raw json.Raw) (list []element) {
	d := json.NewDecoder(string(raw))
	for i := range d.Elements() {
		list = append(list, element{i, d.Raw()})
	}
	return list
}

func textsOf(raw json.Raw) (list []json.Raw) {
	d := json.NewDecoder(string(raw))
	for range d.Elements() {
		list = append(list, d.Raw())
	}
	return list
}

// withoutNulls returns the elements that are not null, because some types skip these.
func withoutNulls(list []element) (rest []element) {
	for _, e := range list {
		if !isNull(e.text) {
			rest = append(rest, e)
		}
	}
	return rest
}
