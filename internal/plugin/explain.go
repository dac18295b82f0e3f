// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// explain returns one sentence for each leaf of a validation error, sorted so that it is always the
// same. What was validated is named by root. Of members that are secrets only the rule is told that they break.
func explain(root string, e *jsonschema.ValidationError, secrets ...Secret) []string {
	all := leaves(root, e, secrets)
	sort.Strings(all)
	return slices.Compact(all)
}

func leaves(root string, e *jsonschema.ValidationError, secrets []Secret) []string {
	if name, ok := e.ErrorKind.(*kind.PropertyNames); ok {
		// The causes are about the name, and do not say which.
		root += ": the member name " + name.Property
	}
	if len(e.Causes) == 0 {
		at := root
		for _, part := range e.InstanceLocation {
			at += "." + part
		}
		if path := e.InstanceLocation; len(path) > 0 && slices.ContainsFunc(secrets, func(s Secret) bool { return s.As == path[0] }) {
			rule := "rule" // some have no name
			if keyword := e.ErrorKind.KeywordPath(); len(keyword) > 0 {
				rule = fmt.Sprintf("%q", strings.Join(keyword, "."))
			}
			return []string{at + ": breaks the schema's " + rule + " (its value is a secret, and not shown)"}
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
		all = append(all, leaves(root, cause, secrets)...)
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
