// SPDX-License-Identifier: Apache-2.0

package merge

import (
	"bytes"
	stdjson "encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// elem is an element of a list. The type has all fields except X.
type elem struct {
	Name  string  `json:"name,omitempty"`
	Level int     `json:"level,omitempty"`
	Kids  []*elem `json:"kids,omitempty"`
	X     int     `json:"x,omitempty"`

	from *elem // the element before the edits; nil for a new one
}

// script generates lists and edits from bytes.
type script struct {
	data  []byte
	fresh int
}

func (s *script) next(n int) int {
	if len(s.data) == 0 {
		return 0
	}
	b := s.data[0]
	s.data = s.data[1:]
	return int(b) % n
}

// number returns a number that was not used before, so that no edit makes an element equal to another one.
func (s *script) number() int {
	s.fresh++
	return s.fresh
}

// elements returns a list in which names, levels and whole elements may occur twice. Each X occurs once.
func (s *script) elements(depth int) (list []*elem) {
	for range s.next(6) {
		e := &elem{Level: s.next(4)}
		if s.next(3) > 0 {
			e.Name = string(rune('a' + s.next(4)))
		}
		if s.next(4) > 0 {
			e.X = 1000 + s.number()
		}
		if depth > 0 && s.next(2) == 0 {
			e.Kids = s.elements(depth - 1)
		}
		list = append(list, e)
	}
	return list
}

func cloned(list []*elem) (all []*elem) {
	for _, e := range list {
		c := *e
		c.Kids, c.from = cloned(e.Kids), e
		all = append(all, &c)
	}
	return all
}

// edits records what was done to a list.
type edits struct{ added, removed, moved, changed bool }

// edit changes a list and its nested lists as a handler could.
func (s *script) edit(list []*elem) ([]*elem, edits) {
	var done edits
	for range s.next(4) {
		at := 0
		if len(list) > 0 {
			at = s.next(len(list))
		}
		switch op := s.next(6); {
		case op == 0 || len(list) == 0:
			e := &elem{Level: 100 + s.number()}
			if s.next(2) == 0 {
				e.Name = fmt.Sprint("n", s.number())
			}
			list, done.added = slices.Insert(list, at, e), true
		case op == 1:
			list, done.removed = slices.Delete(list, at, at+1), true
		case op == 2:
			e := list[at]
			list = slices.Delete(list, at, at+1)
			list, done.moved = slices.Insert(list, s.next(len(list)+1), e), true
		case op == 3:
			list[at].Level, done.changed = 100+s.number(), true
		case op == 4:
			list[at].Name, done.changed = fmt.Sprint("n", s.number()), true
		default:
			var inner edits
			list[at].Kids, inner = s.edit(list[at].Kids)
			done.changed = done.changed || inner != edits{}
		}
	}
	return list, done
}

// text encodes a list with all fields, or as the type does.
func text(list []*elem, typed bool) json.Raw {
	copies := make([]*elem, len(list))
	for i, e := range list {
		c := *e
		if typed {
			c.X = 0
		}
		if len(c.Kids) > 0 {
			c.Kids = reread(text(c.Kids, typed))
		}
		copies[i] = &c
	}
	all, _ := stdjson.Marshal(copies)
	return json.Raw(all)
}

func reread(raw json.Raw) (list []*elem) {
	if err := stdjson.NewDecoder(bytes.NewReader([]byte(raw))).Decode(&list); err != nil {
		panic(err)
	}
	return list
}

func viewOf(e *elem) string { return string(text([]*elem{e}, true)) }

// count returns the number of elements with that name.
func count(list []*elem, name string) (n int) {
	for _, e := range list {
		if e.Name == name {
			n++
		}
	}
	return n
}

// FuzzApply generates a list and edits it. The result has to be the list with the edits, or an error. If elements
// cannot be distinguished, the test only requires that no field of a remaining element is lost.
func FuzzApply(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		seed := make([]byte, 20+random.IntN(100))
		for i := range seed {
			seed[i] = byte(random.Uint32())
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &script{data: data}
		before := s.elements(2)
		after, done := s.edit(cloned(before))
		value, was, is := text(before, false), text(before, true), text(after, true)
		got, err := Apply(value, was, is)
		if err != nil {
			return
		}
		result := reread(got)
		if written := text(result, true); written != is {
			t.Fatalf("%s\n%s to\n%s\ngives %s", value, was, is, got)
		}
		if problem := lost(before, after, result, done); problem != "" {
			t.Fatalf("%s\n%s\n%s to\n%s\ngives %s", problem, value, was, is, got)
		}
	})
}

// lost returns what is wrong with the result of a list, or "".
func lost(before, after, result []*elem, done edits) string {
	kept := map[int]bool{}
	for _, e := range result {
		kept[e.X] = true
	}
	left := map[string]int{} // how many with an X are left of those that look the same
	for k, e := range after {
		if e.from == nil {
			continue
		}
		view := viewOf(e.from)
		if e.from.X != 0 {
			left[view]++
		}
		same := viewOf(e) == view
		named := e.Name != "" && e.Name == e.from.Name && count(before, e.Name) == 1 && count(after, e.Name) == 1
		if !same && !named {
			continue
		}
		// It has its own X, or that of an element that looked the same.
		was := slices.IndexFunc(before, func(b *elem) bool { return b.X == result[k].X && viewOf(b) == view })
		if was < 0 {
			return fmt.Sprintf("element %d had %d and has %d", k, e.from.X, result[k].X)
		}
		if named {
			if problem := lostOfKids(e, result[k]); problem != "" {
				return fmt.Sprintf("in element %d: %s", k, problem)
			}
		}
	}
	if done.added && done.removed || done.moved && done.changed {
		return "" // in a list of the same length, an element may be taken for another one
	}
	for view, n := range left {
		for _, b := range before {
			if b.X != 0 && kept[b.X] && viewOf(b) == view {
				n--
			}
		}
		if n > 0 {
			return fmt.Sprintf("%d of those that were %s have lost their field", n, view)
		}
	}
	return ""
}

// lostOfKids is lost for the nested list of an element that was recognized. The edits of that list are not known.
func lostOfKids(e, result *elem) string {
	return lost(e.from.Kids, e.Kids, result.Kids, edits{added: true, removed: true})
}
