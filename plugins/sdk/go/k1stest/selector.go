// SPDX-License-Identifier: Apache-2.0

package k1stest

import (
	"regexp"
	"slices"
	"strings"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
)

// matcher reports whether an object is selected.
type matcher func(id objectKey, o object) bool

// The formats of one requirement of a label selector.
var (
	setForm      = regexp.MustCompile(`^([^\s!=,()]+)\s+(in|notin)\s*\(([^()]*)\)$`)
	equalityForm = regexp.MustCompile(`^([^\s!=,()]+)\s*(=|==|!=)\s*([^\s!=,()]*)$`)
	existsForm   = regexp.MustCompile(`^(!?)\s*([^\s!=,()]+)$`)
)

// parseSelectors returns a matcher for both selectors. An empty selector selects everything.
func parseSelectors(labels, fields string) (matcher, *k1s.Error) {
	var all []matcher
	for _, requirement := range splitRequirements(labels) {
		m := parseLabel(requirement)
		if m == nil {
			return nil, k1s.NewError(k1s.ReasonBadRequest, "cannot understand the label selector "+labels)
		}
		all = append(all, m)
	}
	for _, requirement := range splitRequirements(fields) {
		m := parseField(requirement)
		if m == nil {
			return nil, k1s.NewError(k1s.ReasonBadRequest, "k1stest does not know the field selector "+fields)
		}
		all = append(all, m)
	}
	return func(id objectKey, o object) bool {
		return !slices.ContainsFunc(all, func(m matcher) bool { return !m(id, o) })
	}, nil
}

// splitRequirements splits a selector at the commas that are not in parentheses.
func splitRequirements(selector string) []string {
	var parts []string
	depth, start := 0, 0
	for i, r := range selector + "," {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth--
		case r == ',' && depth == 0:
			if part := strings.TrimSpace(selector[start:i]); part != "" {
				parts = append(parts, part)
			}
			start = i + 1
		}
	}
	return parts
}

func parseLabel(requirement string) matcher {
	if m := setForm.FindStringSubmatch(requirement); m != nil {
		values := strings.Split(m[3], ",")
		for i := range values {
			values[i] = strings.TrimSpace(values[i])
		}
		return labelIn(m[1], values, m[2] == "in")
	}
	if m := equalityForm.FindStringSubmatch(requirement); m != nil {
		return labelIn(m[1], []string{m[3]}, m[2] != "!=")
	}
	if m := existsForm.FindStringSubmatch(requirement); m != nil {
		return func(_ objectKey, o object) bool {
			_, there := child(child(o, "metadata"), "labels")[m[2]]
			return there == (m[1] == "")
		}
	}
	return nil
}

// labelIn selects objects whose label has one of the values if wanted is true, and all others if it is false.
func labelIn(label string, values []string, wanted bool) matcher {
	return func(_ objectKey, o object) bool {
		value, there := child(child(o, "metadata"), "labels")[label].(string)
		return (there && slices.Contains(values, value)) == wanted
	}
}

func parseField(requirement string) matcher {
	m := equalityForm.FindStringSubmatch(requirement)
	if m == nil {
		return nil
	}
	field := map[string]func(k1s.Key) string{
		"metadata.name":      func(k k1s.Key) string { return k.Name },
		"metadata.namespace": func(k k1s.Key) string { return k.Namespace },
	}[m[1]]
	if field == nil {
		return nil
	}
	return func(id objectKey, _ object) bool { return (field(id.key) == m[3]) == (m[2] != "!=") }
}
