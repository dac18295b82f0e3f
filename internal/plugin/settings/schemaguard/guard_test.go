// SPDX-License-Identifier: Apache-2.0

package schemaguard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// chart returns a schema like those of charts, with n components that have similar settings.
func chart(n int) string {
	component := `{"type":"object","additionalProperties":false,"required":["image"],"properties":{` +
		`"image":{"$ref":"#/$defs/image"},"replicas":{"type":"integer","minimum":0,"maximum":100,"default":1},"resources":{"$ref":"#/$defs/resources"},` +
		`"env":{"type":"array","uniqueItems":true,"items":{"type":"object","required":["name"],"properties":{"name":{"type":"string","pattern":"^[A-Z_][A-Z0-9_]{0,62}$"},"value":{"type":"string"}},` +
		`"oneOf":[{"required":["value"]},{"required":["valueFrom"]}]}},"labels":{"$ref":"#/$defs/labels"},` +
		`"strategy":{"enum":["RollingUpdate","Recreate"],"description":"how Pods are replaced"}}}`
	return `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{` + repeat(`"c%[1]d":`+component, n) + `},"$defs":{` +
		`"image":{"type":"object","properties":{"repository":{"type":"string","minLength":1,"maxLength":255},"tag":{"type":["string","null"]}},"required":["repository"],"unevaluatedProperties":false},` +
		`"resources":{"type":"object","properties":{"limits":{"$ref":"#/$defs/quantities"},"requests":{"$ref":"#/$defs/quantities"}}},` +
		`"quantities":{"type":"object","additionalProperties":{"anyOf":[{"type":"integer"},{"type":"string","pattern":"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"}]}},` +
		`"labels":{"type":"object","propertyNames":{"maxLength":63},"additionalProperties":{"type":"string","maxLength":63}}}}`
}

func chartValues(n, env int) string {
	variables := repeat(`{"name":"VAR_%[1]d","value":"value %[1]d"}`, env)
	return `{` + repeat(`"c%[1]d":{"image":{"repository":"example.com/app","tag":null},"replicas":3,"strategy":"Recreate","labels":{"app":"c%[1]d"},`+
		`"resources":{"limits":{"cpu":2,"memory":"1Gi"},"requests":{"cpu":"500m"}},"env":[`+variables+`]}`, n) + `}`
}

// tree is a schema of nested folders, in which each entry is either a folder or a file.
const tree = `{"type":"object","required":["kind"],"properties":{"kind":{"enum":["folder","file"]},"name":{"type":"string"}},` +
	`"if":{"properties":{"kind":{"const":"folder"}}},"then":{"properties":{"children":{"type":"array","items":{"$ref":"#"}}}},"else":{"properties":{"size":{"type":"integer"},"children":false}}}`

// variants returns a oneOf whose branches are distinguished by a member.
func variants(n int) string {
	return `{"type":"array","items":{"type":"object","required":["type"],"properties":{"next":{"$ref":"#"}},"oneOf":[` +
		repeat(`{"properties":{"type":{"const":"t%[1]d"},"field%[1]d":{"type":"string","minLength":1}},"required":["field%[1]d"]}`, n) + `]}}`
}

// deep returns a schema of nested objects, like those of CustomResourceDefinitions.
func deep(n int) string {
	return nested(`{"type":"object","properties":{"name":{"type":"string"},"spec":`, `{"type":"array","items":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}`, `}}`, n)
}

// reasonables are schemas that the author of a plugin may well write.
var reasonables = map[string]struct{ schema, value string }{
	"a chart":                         {chart(40), chartValues(40, 20)},
	"a chart with a mistake":          {chart(40), strings.Replace(chartValues(40, 20), `"replicas":3`, `"replicas":300`, 1)},
	"a chart with many mistakes":      {chart(40), strings.ReplaceAll(chartValues(40, 20), `"strategy":"Recreate"`, `"strategy":"x","extra":1`)},
	"a tree of 50 levels":             {tree, nested(`{"kind":"folder","name":"f","children":[`, `{"kind":"file","size":1}`, `]}`, 50)},
	"a tree with a mistake":           {tree, nested(`{"kind":"folder","name":"f","children":[`, `{"kind":"file","size":"1"}`, `]}`, 50)},
	"a wide tree":                     {tree, `{"kind":"folder","children":[` + repeat(`{"kind":"folder","children":[`+repeat(`{"kind":"file","size":1}`, 30)+`]}`, 30) + `]}`},
	"30 variants":                     {variants(30), `[` + repeat(`{"type":"t7","field7":"x"}`, 100) + `]`},
	"30 variants, none of which":      {variants(30), `[{"type":"t7","field7":""}]`},
	"30 variants, within one another": {variants(30), nested(`[{"type":"t29","field29":"x","next":`, `[]`, `}]`, 15)},
	"objects in objects":              {deep(25), nested(`{"name":"x","spec":`, `[{"a":1},{"b":[1,2]}]`, `}`, 25)},
	"a list of a thousand names":      {`{"properties":{"names":{"type":"array","uniqueItems":true,"items":{"type":"string","pattern":"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$","maxLength":63}}}}`, `{"names":[` + repeat(`"name-%[1]d"`, 1000) + `]}`},
	"a long text":                     {`{"properties":{"config":{"type":"string","minLength":1},"ca":{"type":"string","pattern":"^-----BEGIN CERTIFICATE-----"}}}`, `{"config":"` + strings.Repeat("key: value\\n", 40_000) + `","ca":"-----BEGIN CERTIFICATE-----` + strings.Repeat("QUJD", 8_000) + `"}`},
	"routes, each once":               {`{"type":"array","uniqueItems":true,"items":{"properties":{"port":{"type":"integer"}}}}`, `[` + repeat(`{"path":"/%[1]d","port":%[1]d,"tags":["a","b"]}`, 500) + `]`},
	"many times":                      {`{"$schema":"` + draft7 + `","items":{"format":"date-time"}}`, `[` + repeat(`"2026-11-27T00:00:00Z"`, 500) + `]`},
	"$defs, which draft 7 has not":    {`{"$schema":"` + draft7 + `","properties":{` + repeat(`"p%[1]d":{"$ref":"#/$defs/d%[1]d"}`, 60) + `},"$defs":{` + repeat(`"d%[1]d":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"}}}`, 60) + `}}`, `{"p7":{"a":"x","b":"y"}}`},
	"an extensible tree":              {`{"$id":"https://example.com/strict","$dynamicAnchor":"node","$ref":"tree","unevaluatedProperties":false,"$defs":{"tree":{"$id":"tree","$dynamicAnchor":"node","properties":{"data":true,"children":{"items":{"$dynamicRef":"#node"}}}}}}`, nested(`{"children":[`, `{"daat":1}`, `]}`, 20)},
	"recursive by draft 2019":         {`{"$schema":"` + draft2019 + `","$recursiveAnchor":true,"properties":{"child":{"$recursiveRef":"#"}},"unevaluatedProperties":false}`, nested(`{"child":`, `{"x":1}`, `}`, 20)},
	"rules of their own":              {`{"$defs":{"rule":{"anyOf":[{"type":"string"},{"type":"object","properties":{"all":{"$ref":"#/$defs/rules"},"any":{"$ref":"#/$defs/rules"},"not":{"$ref":"#/$defs/rule"}},"minProperties":1,"maxProperties":1}]},"rules":{"type":"array","items":{"$ref":"#/$defs/rule"}}},"$ref":"#/$defs/rule"}`, nested(`{"all":["a",{"not":`, `{"any":["b","c"]}`, `}]}`, 15)},
}

// Reasonable schemas are evaluated, and with the same result as without limits.
func TestReasonable(t *testing.T) {
	t.Parallel()
	for name, tc := range reasonables {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			steps, err := guarded(t, tc.schema, tc.value)
			if isLimit(err) {
				t.Fatal(err)
			}
			if got, want := lines(err), lines(plain(tc.schema, tc.value)); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			if steps > maxSteps/2 {
				t.Errorf("%d steps, too near to the limit", steps)
			}
		})
	}
}

// lines returns the lines of an error in a deterministic order.
func lines(err error) []string {
	if err == nil {
		return nil
	}
	out := strings.Split(err.Error(), "\n")
	slices.Sort(out)
	return out
}

// FuzzGuard searches for schemas that are accepted, and whose evaluation differs from that without limits or never
// ends, which the fuzzer notices.
func FuzzGuard(f *testing.F) {
	for _, tc := range reasonables {
		f.Add(tc.schema, tc.value)
	}
	for _, tc := range bombs {
		f.Add(tc.schema, tc.value)
	}
	f.Fuzz(func(t *testing.T, schema, value string) {
		steps, err := guarded(t, schema, value)
		var text *InvalidText
		if isLimit(err) || errors.Is(err, ErrEndless) || errors.As(err, &text) || err != nil && (strings.Contains(err.Error(), "refer to itself") || strings.Contains(err.Error(), "a regular expression")) {
			return
		}
		if steps > maxSteps {
			t.Errorf("%d steps", steps)
		}
		if want := plain(schema, value); (err == nil) != (want == nil) {
			t.Errorf("got %v, want %v", err, want)
		}
	})
}

// Every field of the library with schemas is walked. The meter would not charge for one that is not, such as that of a
// new keyword.
func TestReachable_everyKeyword(t *testing.T) {
	t.Parallel()
	schema := reflect.TypeFor[*jsonschema.Schema]()
	regex, err := (&patterns{compiled: map[string]pattern{}}).compile("x")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, field := range reflect.VisibleFields(schema.Elem()) {
		if !field.IsExported() {
			continue
		}
		var values []any
		leaf := &jsonschema.Schema{}
		switch field.Type {
		case schema:
			values = []any{leaf}
		case reflect.SliceOf(schema):
			values = []any{[]*jsonschema.Schema{leaf}}
		case reflect.MapOf(reflect.TypeFor[string](), schema):
			values = []any{map[string]*jsonschema.Schema{"x": leaf}}
		case reflect.MapOf(reflect.TypeFor[jsonschema.Regexp](), schema):
			values = []any{map[jsonschema.Regexp]*jsonschema.Schema{regex: leaf}}
		case reflect.TypeFor[map[string]any]():
			values = []any{map[string]any{"x": leaf}}
		case reflect.TypeFor[*jsonschema.DynamicRef]():
			values = []any{&jsonschema.DynamicRef{Ref: leaf}}
		case reflect.TypeFor[any]():
			values = []any{leaf}
			if field.Name == "Items" {
				values = append(values, []*jsonschema.Schema{leaf})
			}
		default:
			if strings.Contains(field.Type.String(), "jsonschema.Schema") && field.Type != reflect.TypeFor[[]jsonschema.SchemaExt]() {
				t.Errorf("%s is a %s, which is not known", field.Name, field.Type)
			}
			continue
		}
		for _, v := range values {
			s := &jsonschema.Schema{}
			reflect.ValueOf(s).Elem().FieldByIndex(field.Index).Set(reflect.ValueOf(v))
			if !slices.Contains(reachable(s), leaf) {
				t.Errorf("%s is not walked", field.Name)
			}
			found++
		}
	}
	if found < 25 {
		t.Errorf("only %d fields have schemas", found)
	}
}

func TestCompile_rejected(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ schema, want string }{
		"long":                                  {`{"title":"` + strings.Repeat("x", maxSchemaBytes) + `"}`, "it has 262156 bytes, more than the 262144 allowed"},
		"deep":                                  {nested(`{"not":`, `{}`, `}`, 70), "it has 71 levels, more than the 64 allowed"},
		"many values":                           {`{"enum":[` + repeat(`"%[1]d"`, 25_000) + `]}`, "it has 25003 values, more than the 20000 allowed"},
		"many schemas":                          {`{"allOf":[` + repeat(`{}`, 2_100) + `]}`, "compiling it takes more work"},
		"names that are long":                   {`{"properties":{"` + strings.Repeat("k", 60_000) + `":{"properties":{` + repeat(`"p%[1]d":{}`, 200) + `}}}}`, "compiling it takes more work"},
		"long names of dynamic anchors' places": {`{"x":{"` + strings.Repeat("k", 60_000) + `":[` + repeat(`{"$dynamicAnchor":"a%[1]d"}`, 100) + `]}}`, "compiling it takes more work"},
		"many identifiers":                      {`{"$defs":{` + repeat(`"i%[1]d":{"$id":"i%[1]d"}`, 300) + `}}`, "compiling it takes more work"},
		"many outside of places":                {`{"allOf":[` + repeat(`{"$ref":"#/x/%[1]d"}`, 300) + `],"x":[` + repeat(`{"type":"string"}`, 300) + `]}`, "compiling it takes more work"},
		"one in many spellings":                 {`{"allOf":[` + repeat(`{"$ref":"#/x/0%[1]d/0"}`, 9) + `],"x":[` + repeat(`[{"enum":[`+repeat("1", 400)+`]}]`, 9) + `]}`, "compiling it takes more work"},
		"outside, by identifier":                {`{"$id":"https://example.com/a","allOf":[` + repeat(`{"$ref":"a#/x/%[1]d"}`, 300) + `],"x":[` + repeat(`{"type":"string"}`, 300) + `]}`, "compiling it takes more work"},
		"long references":                       {`{"$ref":"#/` + strings.Repeat("x", 2_000) + `"}`, `its "$ref" has 2002 bytes, more than the 1024 allowed`},
		"a chain":                               {chainOf(80), "more than 64 schemas lead from one to the next at the same value"},
		"recursion elsewhere":                   {`{"$schema":"` + draft2019 + `","$defs":{"x":{"$recursiveAnchor":true}}}`, `"$recursiveAnchor" within a schema is not supported`},
		"a long pattern":                        {`{"pattern":"` + strings.Repeat("x", 2_000) + `"}`, "a regular expression has 2000 bytes, more than the 1024 allowed"},
		"a repetitive pattern":                  {`{"pattern":"((abc|def){30}x){30}"}`, "a regular expression takes more than 5000 instructions"},
		"many patterns":                         {`{"patternProperties":{` + repeat(`"^%[1]d[a-z]{500}$":true`, 100) + `}}`, "its regular expressions take more than 20000 instructions"},
		"a huge set":                            {`{"pattern":"` + strings.Repeat(`\\pL`, 300) + `"}`, "a regular expression takes more than 5000 instructions"},
	} {
		_, err := Compile([]byte(tc.schema))
		if !isLimit(err) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %.300v, want %s", name, err, tc.want)
		}
	}
}

func chainOf(n int) string {
	var defs []string
	for i := range n {
		defs = append(defs, fmt.Sprintf(`"a%d":{"$ref":"#/$defs/a%d"}`, i, i+1))
	}
	return `{"$ref":"#/$defs/a0","$defs":{` + strings.Join(defs, ",") + fmt.Sprintf(`,"a%d":true}}`, n)
}

// A schema that leads back to itself is detected, however often it does.
func TestCompile_endless(t *testing.T) {
	t.Parallel()
	others := make([]string, 20)
	for i := range others {
		others[i] = fmt.Sprintf(`"a%d":{"allOf":[%s]}`, i, repeat(`{"$ref":"#/$defs/a%[1]d"}`, len(others)))
	}
	for name, schema := range map[string]string{
		"at once":             `{"$ref":"#"}`,
		"each to each":        `{"$ref":"#/$defs/a0","$defs":{` + strings.Join(others, ",") + `}}`,
		"below a condition":   `{"if":{"not":{"$ref":"#"}},"then":true}`,
		"by a dynamic anchor": `{"$dynamicAnchor":"n","anyOf":[{"type":"string"},{"$dynamicRef":"#n"}]}`,
	} {
		if _, err := Compile([]byte(schema)); !errors.Is(err, ErrEndless) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// The library contains the schemas of the drafts, but a schema can only refer to itself.
func TestCompile_drafts(t *testing.T) {
	t.Parallel()
	for _, url := range []string{draft7, draft2019, "https://json-schema.org/draft/2020-12/meta/core"} {
		_, err := Compile([]byte(`{"properties":{"a":{"$ref":"` + url + `"}}}`))
		if err == nil || !strings.Contains(err.Error(), "a schema may only refer to itself") {
			t.Errorf("%s: got %v", url, err)
		}
	}
}

func TestValidate_text(t *testing.T) {
	t.Parallel()
	s, err := Compile([]byte(`{"type":"object"}`))
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]string{
		nested(`[`, ``, `]`, 200):                "it has 200 levels, more than the 128 allowed",
		`[` + repeat(`1`, 120_000) + `]`:         "it has 120001 values, more than the 100000 allowed",
		`"` + strings.Repeat("x", maxValueBytes): "it has 8388609 bytes, more than the 8388608 allowed",
		`{"a":"\"[[[","b":-1e500}`:               "number -1e500 is out of range",
		``:                                       "EOF",
		`{"a":"` + "\\":                          "unexpected EOF",
	} {
		var text *InvalidText
		if err := s.Validate(t.Context(), []byte(value)); !errors.As(err, &text) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20s: got %.200v, want %s", value, err, want)
		}
	}
}

func TestValidate_ends(t *testing.T) {
	t.Parallel()
	s, err := Compile([]byte(`{"items":{"type":"string"}}`))
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	value := []byte(`[` + repeat(`"x"`, 5_000) + `]`)
	if err := s.Validate(ended, value); !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
	if err := s.Validate(t.Context(), value); err != nil {
		t.Errorf("the next evaluation: %v", err)
	}
}

// The meter charges for the comparisons that the library makes.
func TestDuplicates_asTheLibrary(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{
		`[` + ambiguous(11) + `]`:                                   true,
		`[` + repeat(`{"a":%[1]d,"b":[true,null,"x"]}`, 1000) + `]`: false,
	} {
		var items []any
		d := json.NewDecoder(strings.NewReader(value))
		d.UseNumber()
		if err := d.Decode(&items); err != nil {
			t.Fatal(err)
		}
		_, err := guarded(t, `{"uniqueItems":true}`, value)
		if isLimit(err) != want {
			t.Errorf("%.40s: got %v", value, err)
		}
	}
}
