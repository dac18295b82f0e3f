// SPDX-License-Identifier: Apache-2.0

package merge

import (
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// array writes a list. Each element of after is merged with the fields of the object's element that it corresponds to.
func (m *merger) array(at *path, value, before, after json.Raw) {
	was, is := textsOf(before), textsOf(after)
	from, ok := align(elementsOf(value), was)
	if !ok {
		m.fail(at, notOneByOne)
		return
	}
	if kindOf(after) != json.KindArray { // null removes all elements
		m.out.Raw(after)
		return
	}
	p := pair(was, is)
	m.removed(at, from, was, p)
	m.out.BeginArray()
	for k, i := range p.match {
		if i < 0 || from[i].text == "" {
			m.out.Raw(is[k])
			continue
		}
		m.value(&path{parent: at, index: from[i].index}, from[i].text, was[i], is[k])
	}
	m.out.EndArray()
}

// removed fails if an element without a match may not have been removed at all, or if another one may have been removed
// in its place.
func (m *merger) removed(at *path, from []element, was []json.Raw, p pairs) {
	if p.used == len(was) {
		return
	}
	added := p.used < len(p.match)
	for i := range was {
		if p.taken[i] || !added {
			continue
		}
		if field := unknown(from[i].text, was[i]); field != "" {
			m.fail(&path{parent: at, index: from[i].index}, "the plugin's type has no field "+quote(field)+
				" of it, and it cannot be told whether this element was removed or changed: "+
				"give every element of the list a unique name or key")
			return
		}
	}
	// For elements that are equal in the type but not in the object, it is unknown which of them are left.
	alike := make(map[json.Raw]json.Raw, len(was))
	differ := make(map[json.Raw]bool)
	kept := make(map[json.Raw]bool)
	for i, text := range was {
		if first, ok := alike[text]; !ok {
			alike[text] = from[i].text
		} else if first != from[i].text {
			differ[text] = true
		}
		if p.taken[i] {
			kept[text] = true
		}
	}
	for i, text := range was {
		if !p.taken[i] && differ[text] && kept[text] {
			m.fail(&path{parent: at, index: from[i].index}, "the plugin's type cannot tell this element from another one "+
				"that differs, and one of them was removed: let the type have a field that tells them apart")
			return
		}
	}
}

// align returns for each element of before the element of the object that the type decoded it from. An element without
// text has no fields that before does not have. It returns false if the elements cannot be assigned.
func align(there []element, was []json.Raw) ([]element, bool) {
	if len(there) != len(was) {
		there = withoutNulls(there)
	}
	from := make([]element, len(was))
	if len(there) != len(was) {
		// A type may omit duplicates, or add its own elements where the object has none.
		return from, unknownScalar(there, was) < 0
	}
	var rest []int
	taken := make([]bool, len(there))
	for i := range was {
		if agree(there[i].text, was[i]) {
			from[i], taken[i] = there[i], true
		} else {
			rest = append(rest, i)
		}
	}
	if len(rest) == 0 {
		return from, true
	}
	texts := make([]json.Raw, len(there))
	for i := range there {
		texts[i] = there[i].text
	}
	rest = pairByIdentity(texts, was, rest, func(i, j int) bool {
		if j < 0 || taken[j] {
			return false
		}
		from[i], taken[j] = there[j], true
		return true
	})
	for _, i := range rest {
		if taken[i] || unknown(there[i].text, was[i]) != "" {
			return nil, false
		}
		// The type knows all of this element, and encodes it in another way.
		from[i], taken[i] = element{there[i].index, was[i]}, true
	}
	return from, true
}
