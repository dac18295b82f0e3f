// SPDX-License-Identifier: Apache-2.0

package schemaguard

import (
	"encoding/json"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// load is the cost of evaluations that have not started yet. It counts each evaluation and the work that the library
// does before it calls the format: comparisons with enum, const and the type integer.
type load struct {
	evaluations int
	// plain counts comparisons of values that are not numbers, numbers those of numbers.
	plain, numbers int
}

func loadOf(schemas []*jsonschema.Schema) load {
	l := load{evaluations: len(schemas)}
	for _, s := range schemas {
		if s.Const != nil {
			l.compare(*s.Const)
		}
		if s.Enum != nil {
			for _, v := range s.Enum.Values {
				l.compare(v)
			}
		}
		if s.Types != nil && slices.Contains(s.Types.ToStrings(), "integer") {
			l.numbers++ // the type integer takes arithmetic to check
		}
	}
	return l
}

// compare adds a comparison with a value.
func (l *load) compare(v any) {
	switch v := v.(type) {
	case json.Number:
		l.numbers++
	case string:
		l.plain += 1 + len(v)/64
	case []any:
		l.plain++
		for _, item := range v {
			l.compare(item)
		}
	case map[string]any:
		for name, member := range v {
			l.plain += 2 + len(name)/64
			l.compare(member)
		}
	default:
		l.plain++
	}
}

// cost is the cost of evaluating a schema, and of the evaluations of its subschemas.
type cost struct {
	// once is the fixed cost of each evaluation.
	once int
	// inPlace, one, items and members are the evaluations of the subschemas, by the values that they apply to.
	inPlace, one, items, members load
	// numeric counts the keywords for numbers.
	numeric int
	// program counts the instructions of regular expressions for strings, namePrograms those for the names of members.
	program, namePrograms int
	// lengths means that strings are counted, unique that items are compared with each other, and chain that all parent
	// schemas are searched.
	lengths, unique, chain bool
}

func costOf(s *jsonschema.Schema) *cost {
	c := &cost{
		once: 1 + perMember*len(s.Required), inPlace: loadOf(inPlace(s)), one: loadOf(ofOne(s)), items: loadOf(ofItems(s)), members: loadOf(ofMembers(s)),
		lengths: s.MinLength != nil || s.MaxLength != nil, unique: s.UniqueItems, chain: s.DynamicRef != nil || s.RecursiveRef != nil,
	}
	for _, names := range s.DependentRequired {
		c.once += 1 + perMember*len(names)
	}
	for _, d := range s.Dependencies {
		names, _ := d.([]string)
		c.once += 1 + perMember*len(names)
	}
	for _, limit := range []bool{s.Minimum != nil, s.Maximum != nil, s.ExclusiveMinimum != nil, s.ExclusiveMaximum != nil, s.MultipleOf != nil} {
		if limit {
			c.numeric++
		}
	}
	if p, ok := s.Pattern.(pattern); ok {
		c.program = p.program
	}
	for p := range s.PatternProperties {
		if p, ok := p.(pattern); ok {
			c.namePrograms += p.program
		}
	}
	return c
}
