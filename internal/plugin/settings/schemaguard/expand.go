// SPDX-License-Identifier: Apache-2.0

package schemaguard

import (
	"errors"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// ErrEndless is the error of a schema that leads back to itself for the same value.
var ErrEndless = errors.New("it refers to itself without end")

// expansion is the number of schemas that apply to a value if one schema applies (applied), and how deeply they are
// nested (chain). Schemas for items or members do not count.
type expansion struct{ applied, chain int }

// expander computes each expansion once. Because it adds up the schemas that the library would walk, it detects 2⁴⁰
// steps in 40.
type expander struct {
	done map[*jsonschema.Schema]expansion
	// open are the schemas whose expansion is being computed.
	open map[*jsonschema.Schema]bool
	// dynamic are the schemas that a $dynamicRef to an anchor can lead to.
	dynamic map[string][]*jsonschema.Schema
}

// expand limits the number of schemas that apply to one value, and returns the deepest chain.
func expand(all []*jsonschema.Schema) (int, error) {
	e := &expander{done: map[*jsonschema.Schema]expansion{}, open: map[*jsonschema.Schema]bool{}, dynamic: map[string][]*jsonschema.Schema{}}
	for _, s := range all {
		if s.DynamicAnchor != "" {
			e.dynamic[s.DynamicAnchor] = append(e.dynamic[s.DynamicAnchor], s)
		}
	}
	deepest := 0
	for _, s := range all {
		x, err := e.of(s, 0)
		if err != nil {
			return 0, err
		}
		deepest = max(deepest, x.chain)
	}
	return deepest, nil
}

func (e *expander) of(s *jsonschema.Schema, depth int) (expansion, error) {
	if x, ok := e.done[s]; ok {
		return x, nil
	}
	switch {
	case e.open[s]:
		return expansion{}, ErrEndless
	case depth > 4*maxChain: // the limit below applies to chains; this one lets a cycle be found first
		return expansion{}, limited("more than %d schemas lead from one to the next at the same value", 4*maxChain)
	}
	e.open[s] = true
	defer delete(e.open, s)
	x := expansion{applied: 1}
	below := inPlace(s)
	if d := s.DynamicRef; d != nil && d.Anchor != "" && d.Anchor == d.Ref.DynamicAnchor {
		below = append(below, e.dynamic[d.Anchor]...)
	}
	for _, sub := range below {
		y, err := e.of(sub, depth+1)
		if err != nil {
			return expansion{}, err
		}
		x.applied += y.applied
		x.chain = max(x.chain, y.chain)
		if x.applied > maxApplied {
			return expansion{}, limited("more than %d schemas apply to one value, by $ref, allOf and their like", maxApplied)
		}
	}
	if x.chain++; x.chain > maxChain {
		return expansion{}, limited("more than %d schemas lead from one to the next at the same value, by $ref, allOf and their like", maxChain)
	}
	e.done[s] = x
	return x, nil
}
