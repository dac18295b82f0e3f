// SPDX-License-Identifier: Apache-2.0

package merge

import (
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// identities are the fields that name an element of a list in Kubernetes, in the order in which they are
// tried. They count where no two elements have the same.
var identities = [...]string{"name", "key"}

// pairs says which element of before each one of after was.
type pairs struct {
	match []int  // for each of after the index in before, or −1
	taken []bool // which of before are matched
	used  int    // how many of them
}

func (p *pairs) take(k, i int) bool {
	if i < 0 || p.taken[i] {
		return false
	}
	p.match[k], p.taken[i] = i, true
	p.used++
	return true
}

// pair matches the elements of two lists that the same type wrote: those that are equal, then those with
// the same identity, then those in the same place, if the lists are equally long.
func pair(was, is []json.Raw) pairs {
	p := pairs{match: make([]int, len(is)), taken: make([]bool, len(was))}
	for k := range is {
		p.match[k] = -1
		if k < len(was) && was[k] == is[k] {
			p.take(k, k)
		}
	}
	p.equal(was, is)
	rest := pairByIdentity(was, is, p.open(), p.take)
	for _, k := range rest {
		if len(was) == len(is) && changedInPlace(was[k], is[k]) {
			p.take(k, k)
		}
	}
	return p
}

// equal matches elements with the first equal one that is left.
func (p *pairs) equal(was, is []json.Raw) {
	open := p.open()
	if len(open) == 0 || p.used == len(was) {
		return
	}
	// The elements of before with one text are a chain, so that a long list of equal ones is no trouble.
	first, next := make(map[json.Raw]int), make([]int, len(was))
	for i := len(was) - 1; i >= 0; i-- {
		if p.taken[i] {
			continue
		}
		next[i] = -1
		if following, ok := first[was[i]]; ok {
			next[i] = following
		}
		first[was[i]] = i
	}
	for _, k := range open {
		if i, ok := first[is[k]]; ok && p.take(k, i) {
			first[is[k]] = next[i]
		}
	}
}

// open returns which elements of after have no match yet.
func (p *pairs) open() (rest []int) {
	for k, i := range p.match {
		if i < 0 {
			rest = append(rest, k)
		}
	}
	return rest
}

// pairByIdentity offers take, for each of these elements of list, the one of others with the same
// identity, and returns the elements that were not taken.
func pairByIdentity(others, list []json.Raw, open []int, take func(k, i int) bool) (rest []int) {
	for _, field := range identities {
		if len(open) == 0 {
			break
		}
		there, here := uniqueBy(others, field), uniqueBy(list, field)
		rest = nil
		for _, k := range open {
			id := identity(list[k], field)
			if i, ok := there[id]; !ok || here[id] != k || !take(k, i) {
				rest = append(rest, k)
			}
		}
		open = rest
	}
	return open
}

// uniqueBy returns where the element with each identity is, or −1 where several have it.
func uniqueBy(list []json.Raw, field string) map[string]int {
	index := make(map[string]int)
	for i, raw := range list {
		id := identity(raw, field)
		if id == "" {
			continue
		}
		if _, twice := index[id]; twice {
			i = -1
		}
		index[id] = i
	}
	return index
}

// identity returns the string that a field of an object is, or nothing.
func identity(raw json.Raw, field string) string {
	value, _ := raw.Get(field)
	if kindOf(value) != json.KindString {
		return ""
	}
	return json.NewDecoder(string(value)).String()
}

// changedInPlace reports whether an element in the same place as another one is that one, changed. One
// with another identity is so if it is renamed and nothing more.
func changedInPlace(was, is json.Raw) bool {
	kind := kindOf(was)
	if kind != kindOf(is) {
		return false
	}
	if kind != json.KindObject {
		return true
	}
	for _, field := range identities {
		if id := identity(was, field); id != "" && id != identity(is, field) {
			return restIsEqual(was, is)
		}
	}
	return true
}

// restIsEqual reports whether two objects have anything but an identity, and the same.
func restIsEqual(was, is json.Raw) bool {
	then, now := membersOf(was), membersOf(is)
	rest := 0
	for _, m := range then.list {
		if isIdentity(m.name) {
			continue
		}
		if value, ok := now.get(m.name); !ok || value != m.value {
			return false
		}
		rest++
	}
	for _, m := range now.list {
		if _, known := then.get(m.name); !known && !isIdentity(m.name) {
			return false
		}
	}
	return rest > 0
}

func isIdentity(name string) bool {
	for _, field := range identities {
		if name == field {
			return true
		}
	}
	return false
}
