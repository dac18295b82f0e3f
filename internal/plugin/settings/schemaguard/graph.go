// SPDX-License-Identifier: Apache-2.0

package schemaguard

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The functions below return the subschemas of a schema, by the values that they are evaluated on.

// inPlace returns the subschemas for the same value, except the targets of $dynamicRef other than its static one.
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

// ofOne returns the subschemas that apply to one item or member each.
func ofOne(s *jsonschema.Schema) []*jsonschema.Schema {
	out := slices.AppendSeq(slices.Clone(s.PrefixItems), maps.Values(s.Properties))
	if items, ok := s.Items.([]*jsonschema.Schema); ok {
		out = append(out, items...)
	}
	return present(out)
}

// ofItems returns the subschemas that apply to each item.
func ofItems(s *jsonschema.Schema) []*jsonschema.Schema {
	return present(append(schemas(s.Items, s.AdditionalItems), s.Items2020, s.Contains, s.UnevaluatedItems))
}

// ofMembers returns the subschemas that apply to each member, or to its name.
func ofMembers(s *jsonschema.Schema) []*jsonschema.Schema {
	out := append(schemas(s.AdditionalProperties), s.PropertyNames, s.UnevaluatedProperties)
	return present(slices.AppendSeq(out, maps.Values(s.PatternProperties)))
}

// schemas returns the schemas among values that may also be booleans or lists.
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

// reachable returns the given schemas and all schemas that can be reached from them.
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

// fragment encodes a JSON pointer as a URL fragment.
func fragment(pointer string) string {
	parts := strings.Split(pointer, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return strings.Join(parts, "/")
}
