// SPDX-License-Identifier: Apache-2.0

package schemaguard

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The schemas within a schema, by which values they are evaluated on.

// inPlace returns those for the same value, but for $dynamicRef's.
func inPlace(s *jsonschema.Schema) []*jsonschema.Schema {
	out := slices.Concat(s.AllOf, s.AnyOf, s.OneOf, []*jsonschema.Schema{s.Ref, s.RecursiveRef, s.Not, s.If, s.Then, s.Else})
	if s.DynamicRef != nil {
		out = append(out, s.DynamicRef.Ref)
	}
	out = slices.AppendSeq(out, maps.Values(s.DependentSchemas))
	for _, d := range s.Dependencies {
		if d, ok := d.(*jsonschema.Schema); ok {
			out = append(out, d)
		}
	}
	return present(out)
}

// ofOne returns those for one item or member each.
func ofOne(s *jsonschema.Schema) []*jsonschema.Schema {
	out := slices.AppendSeq(slices.Clone(s.PrefixItems), maps.Values(s.Properties))
	if items, ok := s.Items.([]*jsonschema.Schema); ok {
		out = append(out, items...)
	}
	return present(out)
}

// ofItems returns those for each item.
func ofItems(s *jsonschema.Schema) []*jsonschema.Schema {
	return present(append(schemas(s.Items, s.AdditionalItems), s.Items2020, s.Contains, s.UnevaluatedItems))
}

// ofMembers returns those for each member, or its name.
func ofMembers(s *jsonschema.Schema) []*jsonschema.Schema {
	out := append(schemas(s.AdditionalProperties), s.PropertyNames, s.UnevaluatedProperties)
	return present(slices.AppendSeq(out, maps.Values(s.PatternProperties)))
}

// schemas returns those among values that may be booleans or lists, too.
func schemas(values ...any) []*jsonschema.Schema {
	var out []*jsonschema.Schema
	for _, v := range values {
		if s, ok := v.(*jsonschema.Schema); ok {
			out = append(out, s)
		}
	}
	return out
}

func present(list []*jsonschema.Schema) []*jsonschema.Schema {
	return slices.DeleteFunc(list, func(s *jsonschema.Schema) bool { return s == nil })
}

// reachable returns the schemas that some lead to, and these.
func reachable(from ...*jsonschema.Schema) []*jsonschema.Schema {
	var all []*jsonschema.Schema
	seen := map[*jsonschema.Schema]bool{}
	for len(from) > 0 {
		s := from[len(from)-1]
		from = from[:len(from)-1]
		if seen[s] {
			continue
		}
		seen[s] = true
		all = append(all, s)
		from = slices.Concat(from, inPlace(s), ofOne(s), ofItems(s), ofMembers(s), present([]*jsonschema.Schema{s.ContentSchema}))
	}
	return all
}

// fragment writes a JSON pointer as a URL's fragment.
func fragment(pointer string) string {
	parts := strings.Split(pointer, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return strings.Join(parts, "/")
}
