// SPDX-License-Identifier: Apache-2.0

package schemaguard

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// generator generates schemas with all keywords that have subschemas, and values to which many of these apply.
type generator struct {
	*rand.Rand

	defs int
}

func (g generator) schema(depth int) any {
	if depth == 0 || g.IntN(6) == 0 {
		switch g.IntN(6) {
		case 0:
			return g.IntN(5) > 0
		case 1:
			return map[string]any{"type": []string{"object", "array", "string", "integer"}[g.IntN(4)]}
		case 2:
			return map[string]any{"enum": []any{1, "a", nil}}
		case 3:
			return map[string]any{"$dynamicRef": "#n"}
		default:
			return map[string]any{"$ref": fmt.Sprintf("#/$defs/d%d", g.IntN(g.defs))}
		}
	}
	out := map[string]any{}
	for range 1 + g.IntN(3) {
		switch k := g.IntN(24); k {
		case 0, 1, 2, 3:
			name := []string{"allOf", "anyOf", "oneOf", "prefixItems"}[k]
			out[name] = []any{g.schema(depth - 1), g.schema(depth - 1)}
		case 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14:
			name := []string{"not", "if", "then", "else", "items", "contains", "additionalProperties", "unevaluatedProperties", "unevaluatedItems", "propertyNames", "additionalItems"}[k-4]
			out[name] = g.schema(depth - 1)
		case 15, 16, 17:
			name := []string{"properties", "dependentSchemas", "patternProperties"}[k-15]
			out[name] = map[string]any{"a": g.schema(depth - 1), "b": g.schema(depth - 1)}
		case 18:
			out["required"] = []any{"a"}
		case 19:
			out["uniqueItems"] = true
		case 20:
			out["$ref"] = fmt.Sprintf("#/$defs/d%d", g.IntN(g.defs))
		case 21:
			out["minimum"] = 1
		case 22:
			out["pattern"] = "^a*$"
		case 23:
			out["const"] = map[string]any{"a": 1}
		}
	}
	return out
}

func (g generator) value(depth int) any {
	switch n := g.IntN(8); {
	case depth > 0 && n < 3:
		out := map[string]any{}
		for _, name := range []string{"a", "b", "ab"}[:1+g.IntN(3)] {
			out[name] = g.value(depth - 1)
		}
		return out
	case depth > 0 && n < 5:
		out := make([]any, g.IntN(4))
		for i := range out {
			out[i] = g.value(depth - 1)
		}
		return out
	default:
		return []any{1, "a", nil, true, 1.5}[g.IntN(5)]
	}
}

// Every accepted schema is evaluated as without limits. All its evaluations are charged for, which limits all others.
func TestRandom(t *testing.T) {
	t.Parallel()
	g := generator{rand.New(rand.NewPCG(3, 4)), 5}
	passed, endless, limits := 0, 0, 0
	for range 1000 {
		defs := map[string]any{"n": map[string]any{"$dynamicAnchor": "n", "items": g.schema(1)}}
		for i := range g.defs {
			defs[fmt.Sprintf("d%d", i)] = g.schema(2)
		}
		root, ok := g.schema(3).(map[string]any)
		if !ok {
			continue
		}
		root["$defs"] = defs
		schema, value := text(t, root), text(t, g.value(7))
		s, err := Compile([]byte(schema))
		switch {
		case errors.Is(err, ErrEndless):
			endless++
			continue
		case isLimit(err):
			limits++
			continue
		case err != nil:
			t.Fatalf("%s: %v", schema, err)
		}
		evaluations := counted(s)
		err = s.Validate(t.Context(), []byte(value))
		if s.meter.steps < *evaluations*perEvaluation {
			t.Errorf("%s on %s: %d evaluations for %d steps", schema, value, *evaluations, s.meter.steps)
		}
		if isLimit(err) {
			limits++
			continue
		}
		passed++
		if want := plain(schema, value); (err == nil) != (want == nil) {
			t.Errorf("%s on %s: got %v, want %v", schema, value, err, want)
		}
	}
	t.Logf("%d passed, %d endless, %d limited", passed, endless, limits)
	if passed < 300 || endless < 10 {
		t.Errorf("%d passed and %d were endless, which tests little", passed, endless)
	}
}

// counted counts the evaluations of a schema.
func counted(s *Schema) *int {
	n := new(int)
	for _, sub := range reachable(s.compiled) {
		if f := sub.Format; f != nil {
			sub.Format = &jsonschema.Format{Name: f.Name, Validate: func(v any) error {
				*n++
				return f.Validate(v)
			}}
		}
	}
	return n
}

func text(t *testing.T, v any) string {
	t.Helper()
	var out strings.Builder
	if err := json.NewEncoder(&out).Encode(v); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
