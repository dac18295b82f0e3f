// SPDX-License-Identifier: Apache-2.0

package architecture

import (
	"slices"
	"testing"
)

func TestRule_violations(t *testing.T) {
	t.Parallel()
	const a, b = module + "/internal/a", module + "/internal/b"
	packages := map[string]*pkg{
		a:                         {ImportPath: a, Imports: []string{"fmt", b}, Deps: []string{"fmt", b, "example.com/engine/api"}},
		b:                         {ImportPath: b, Imports: []string{"example.com/engine/api"}, Deps: []string{"example.com/engine/api"}},
		"example.com/engine/api":  {ImportPath: "example.com/engine/api"},
		"example.com/enginerooms": {ImportPath: "example.com/enginerooms"},
		"fmt":                     {ImportPath: "fmt", Standard: true},
	}
	for _, tc := range []struct {
		name string
		rule rule
		want []string
	}{
		{name: "by a detour", rule: rule{forbid: []string{"example.com/engine/..."}}, want: []string{"example.com/engine/api"}},
		{name: "a detour is allowed", rule: rule{forbid: []string{"example.com/engine/..."}, direct: true}},
		{name: "a pattern ends at a slash", rule: rule{forbid: []string{"example.com/eng/..."}}},
		{name: "below the root module", rule: rule{forbid: []string{"internal/b"}, direct: true}, want: []string{b}},
		{name: "the standard library alone", rule: rule{only: []string{}}, want: []string{b, "example.com/engine/api"}},
		{name: "itself and a named one", rule: rule{from: []string{"internal/..."}, only: []string{"example.com/engine/..."}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := tc.rule.violations(packages[a], packages); !slices.Equal(got, tc.want) {
				t.Errorf("violations = %q, want %q", got, tc.want)
			}
		})
	}
	const want = a + "\n  imports " + b + "\n  imports example.com/engine/api"
	if got := chain(packages, a, "example.com/engine/api"); got != want {
		t.Errorf("chain =\n%s\nwant\n%s", got, want)
	}
}
