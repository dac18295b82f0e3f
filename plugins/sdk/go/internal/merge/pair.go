// SPDX-License-Identifier: Apache-2.0

package merge

import (
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// identities are the fields that identify an element of a list in Kubernetes, in the order in which they are tried.
// They count only if no two elements have the same value.
var identities = [...]string{"name", "key"}

// pairs maps each element of after to the corresponding element of before.
type pairs struct {
	match []int  // for each element of after the index in before, or −1
	taken []bool // which elements of before are matched
	used  int    // the number of these
}

func (p *pairs) take(k, i int) bool {
	if i < 0 || p.taken[i] {
		return false
	}
	p.match[k], p.taken[i] = i, true
	p.used++
	return true
}

// pair matches the elements of two lists that the same type encoded: first equal ones, then those with the same
// identity, and then those at the same index if the lists have the same length.
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

// equal matches each element with the first equal one that has no match yet.
func (p *pairs) equal(was, is []json.Raw) {
	open := p.open()
	if len(open) == 0 || p.used == len(was) {
		return
	}
	// The elements of before with equal text form a chain, so that a long list of equal elements takes linear time.
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

// open returns the indices of the elements of after that have no match yet.
func (p *pairs) open() (rest []int) {
	for k, i := range p.match {
		if i < 0 {
			rest = append(rest, k)
		}
	}
	return rest
}

// pairByIdentity calls take for each of the open elements of list with the element of others that has the same
// identity. It returns the elements that were not taken.
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

// uniqueBy maps each identity to the index of its element, or to −1 if several elements have it.
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

// identity returns the value of a field of an object if that is a string, or "".
func identity(raw json.Raw, field string) string {
	value, _ := raw.Get(field)
	if kindOf(value) != json.KindString {
		return ""
	}
	return json.NewDecoder(string(value)).String()
}

// changedInPlace reports whether an element is a changed version of the element at the same index. If its identity
// differs, it must be renamed and otherwise equal.
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

// restIsEqual reports whether two objects have other fields than an identity, and these are equal.
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
