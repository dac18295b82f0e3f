// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"cmp"
	"context"
	"sort"
	"strings"
)

// search is a search of one text for the forms of a prefixTable.
type search struct {
	table *prefixTable
	text  string
	hash  rollingHash
	// lookups counts the entries that were looked up.
	lookups int
}

func newSearch(table *prefixTable, text string) *search {
	return &search{table: table, text: text, hash: rollingHash{base: table.base, text: text}}
}

// replace returns the text with each form replaced by Redacted. It replaces the first form, or the longest one of those
// that start at the same position, and continues after it.
func (s *search) replace(ctx context.Context) (string, error) {
	var out strings.Builder
	written, check := 0, positionsPerCheck
	for i := 0; i+minSecret <= len(s.text); {
		if i >= check {
			if Ended(ctx) {
				return "", cmp.Or(context.Cause(ctx), context.DeadlineExceeded) // its timer may not have fired yet
			}
			check = i + positionsPerCheck
		}
		found := 0
		if s.table.maybe(s.text[i:]) {
			found = s.longest(i, len(s.text))
		}
		if found == 0 {
			i++
			continue
		}
		out.WriteString(s.text[written:i])
		out.WriteString(Redacted)
		i += found
		written = i
	}
	if written == 0 {
		return s.text, nil
	}
	out.WriteString(s.text[written:])
	return out.String(), nil
}

// longest returns the length of the longest form that starts at position and ends at or before end. It returns 0 if
// there is none.
func (s *search) longest(position, end int) int {
	found := 0
	for low, high := 0, len(s.table.lengths); low < high; {
		middle := (low + high) / 2
		l := s.table.lengths[middle]
		if l.bytes > end-position {
			high = middle
			continue
		}
		s.lookups++
		mark, ok := s.table.marks[l.key(s.hash.of(position, l.bytes, l.power))]
		if !ok {
			high = middle
			continue
		}
		found = max(found, mark)
		low = middle + 1
	}
	return found
}

// begun returns how many bytes at the end of the text may be a proper prefix of a form. If the end is longer than
// exactSamples, only four fifths of it have to match the prefix of a form: leaving out a few more bytes does no harm.
func (s *search) begun() int {
	longest := s.table.lengths[len(s.table.lengths)-1].bytes
	for i := max(0, len(s.text)-longest+1); i < len(s.text); i++ {
		n := len(s.text) - i
		if n >= minSecret && !s.table.maybe(s.text[i:]) {
			continue
		}
		sample := s.table.samples[sort.Search(len(s.table.samples), func(k int) bool { return s.table.samples[k].bytes > n })-1]
		s.lookups++
		form, ok := s.table.begun[sample.key(s.hash.of(i, sample.bytes, sample.power))]
		if ok && n < form {
			return n
		}
	}
	return 0
}
