// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"cmp"
	"slices"
)

const (
	// exactSamples is the length up to which every prefix of a form is indexed.
	exactSamples = 32
	// bitsPerForm is the number of filter bits per form: about one in this many positions without a form passes the
	// filter.
	bitsPerForm = 32
)

// prefixTable finds forms of secrets in texts by the hashes of their prefixes. It holds only hashes, not the secrets.
//
// The longest form at a position is found by binary search over the lengths of the forms. A form leaves a mark, the
// hash of its prefix, at each length where the search has to continue with greater lengths to find it (Waldvogel et
// al., "Scalable high speed IP routing lookups", 1997). A form therefore takes as many entries as such a search has
// steps, regardless of its length.
type prefixTable struct {
	base rollingBase
	// lengths are the lengths of the forms, in ascending order.
	lengths []length
	// marks map the prefix of a form at one of these lengths to the length of the longest form that is a prefix of it,
	// or to 0 if there is none.
	marks map[uint64]int
	// samples are the lengths at which prefixes are indexed, in ascending order. begun maps such a prefix to the length
	// of the longest form that starts with it.
	samples []length
	begun   map[uint64]int
	// filter has one bit for the hash of the first minSecret bytes of each form.
	filter      []uint64
	filterShift int
}

// length is a length in bytes, with the base to the power of it.
type length struct {
	bytes int
	power uint64
}

// key returns a key that differs for prefixes of different lengths.
func (l length) key(hash uint64) uint64 { return hash ^ uint64(l.bytes)*0x9E3779B97F4A7C15 }

// newPrefixTable returns a table of forms. Each form has at least minSecret bytes.
func newPrefixTable(forms []string) *prefixTable {
	// Add the shortest forms first: a mark leads to a form that is shorter than the one that leaves the mark, and that
	// has to be known already.
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

// add adds the text of a search as a form.
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
		t.begun[l.key(s.hash.of(0, l.bytes, l.power))] = len(form) // the longest form is added last
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

// filterBit returns the position of the filter bit for the first minSecret bytes of a text.
func (t *prefixTable) filterBit(text string) uint64 {
	_ = text[minSecret-1]
	first := uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24 | uint64(text[4])<<32 | uint64(text[5])<<40
	return first * (uint64(t.base) | 1) * 0x9E3779B97F4A7C15 >> t.filterShift
}

// maybe reports whether a form may start at the beginning of a text. The text has at least minSecret bytes.
func (t *prefixTable) maybe(text string) bool {
	bit := t.filterBit(text)
	return t.filter[bit/64]&(1<<(bit%64)) != 0
}
