// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"slices"
	"sort"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// explain returns one sentence for each leaf of a validation error, sorted so that it is always the
// same. What was validated is named by root.
func explain(root string, e *jsonschema.ValidationError) []string {
	all := leaves(root, e)
	sort.Strings(all)
	return slices.Compact(all)
}

func leaves(root string, e *jsonschema.ValidationError) []string {
	if name, ok := e.ErrorKind.(*kind.PropertyNames); ok {
		// The causes are about the name, and do not say which.
		root += ": the member name " + name.Property
	}
	if len(e.Causes) == 0 {
		at := root
		for _, part := range e.InstanceLocation {
			at += "." + part
		}
		switch k := e.ErrorKind.(type) {
		case *kind.AdditionalProperties:
			slices.Sort(k.Properties) // they come in the order of a map
		case *kind.FalseSchema:
			return []string{at + ": not allowed"}
		}
		return []string{at + ": " + e.ErrorKind.LocalizedString(message.NewPrinter(language.English))}
	}
	var all []string
	for _, cause := range e.Causes {
		all = append(all, leaves(root, cause)...)
	}
	return all
}

// hasCycle says whether a validation ended because the schema leads back to where it was.
func hasCycle(e *jsonschema.ValidationError) bool {
	if _, ok := e.ErrorKind.(*kind.RefCycle); ok {
		return true
	}
	return slices.ContainsFunc(e.Causes, hasCycle)
}
