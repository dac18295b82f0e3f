// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"cmp"
	"slices"
)

const (
	// exactSamples is up to which length every beginning of a form is known.
	exactSamples = 32
	// bitsPerForm makes the filter let about one position in as many pass that has nothing.
	bitsPerForm = 32
)

// prefixTable finds forms of secrets in texts by the hashes of their beginnings. It has hashes only, not the secrets.
//
// The longest form at a position is found by binary search over the lengths that forms have: a form leaves a mark, the hash of
// its beginning, at each length where the search has to turn to longer ones to find it (Waldvogel et al., "Scalable high
// speed IP routing lookups", 1997). So a form takes as many entries as there are steps in such a search, however long it is.
type prefixTable struct {
	base rollingBase
	// lengths are those that forms have, the shortest first.
	lengths []length
	// marks lead, from the beginning of a form at one of these lengths, to the length of the longest form that
	// this beginning begins with; 0 if there is none.
	marks map[uint64]int
	// samples are the lengths at which beginnings are known, the shortest first; begun leads from these to the length of
	// the longest form that begins so.
	samples []length
	begun   map[uint64]int
	// filter has a bit for what the first minSecret bytes of each form are hashed to.
	filter      []uint64
	filterShift int
}

// length is a length in bytes with the base to its power.
type length struct {
	bytes int
	power uint64
}

// key tells beginnings of different lengths apart.
func (l length) key(hash uint64) uint64 { return hash ^ uint64(l.bytes)*0x9E3779B97F4A7C15 }

// newPrefixTable makes a table of forms, which have minSecret bytes or more.
func newPrefixTable(forms []string) *prefixTable {
	// The shortest first: what a mark leads to is shorter than the form that leaves it, and has to be known.
	slices.SortFunc(forms, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	t := &prefixTable{base: newRollingBase(), marks: map[uint64]int{}, begun: map[uint64]int{}}
	for _, f := range forms {
		if n := len(t.lengths); n == 0 || t.lengths[n-1].bytes != len(f) {
			t.lengths = append(t.lengths, length{len(f), t.base.power(len(f))})
		}
	}
	for n := 1; n < len(forms[len(forms)-1]); n += max(1, (n+4-exactSamples)/4) {
		t.samples = append(t.samples, length{n, t.base.power(n)})
	}
	t.makeFilter(forms)
	s := newSearch(t, "")
	for _, f := range forms {
		s.text, s.hash.text, s.hash.sums = f, f, s.hash.sums[:0]
		t.add(s)
	}
	return t
}

// add adds the form that is the text of a search.
func (t *prefixTable) add(s *search) {
	form := s.text
	for low, high := 0, len(t.lengths); low < high; {
		middle := (low + high) / 2
		l := t.lengths[middle]
		if l.bytes > len(form) {
			high = middle
			continue
		}
		key := l.key(s.hash.of(0, l.bytes, l.power))
		if l.bytes == len(form) {
			t.marks[key] = len(form)
			break
		}
		if _, ok := t.marks[key]; !ok {
			t.marks[key] = s.longest(0, l.bytes)
		}
		low = middle + 1
	}
	for _, l := range t.samples {
		if l.bytes >= len(form) {
			break
		}
		t.begun[l.key(s.hash.of(0, l.bytes, l.power))] = len(form) // the longest comes last
	}
}

func (t *prefixTable) makeFilter(forms []string) {
	bits := 10
	for ; 1<<bits < bitsPerForm*len(forms); bits++ {
	}
	t.filter, t.filterShift = make([]uint64, 1<<bits/64), 64-bits
	for _, f := range forms {
		bit := t.filterBit(f)
		t.filter[bit/64] |= 1 << (bit % 64)
	}
}

// filterBit returns the filter's bit for the first minSecret bytes of a text.
func (t *prefixTable) filterBit(text string) uint64 {
	_ = text[minSecret-1]
	first := uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24 | uint64(text[4])<<32 | uint64(text[5])<<40
	return first * (uint64(t.base) | 1) * 0x9E3779B97F4A7C15 >> t.filterShift
}

// maybe reports whether a form may begin at the beginning of a text of minSecret bytes or more.
func (t *prefixTable) maybe(text string) bool {
	bit := t.filterBit(text)
	return t.filter[bit/64]&(1<<(bit%64)) != 0
}
