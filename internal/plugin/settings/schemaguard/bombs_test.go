// SPDX-License-Identifier: Apache-2.0

package schemaguard

import (
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

const draft7, draft2019 = "http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2019-09/schema"

// doubling returns a schema in which each of 40 schemas refers to the next one twice, for the same value. REF is
// replaced by the reference.
func doubling(draft, each, last string) string {
	defs := make([]string, 0, 41)
	for i := range 40 {
		defs = append(defs, fmt.Sprintf(`"a%d":%s`, i, strings.ReplaceAll(each, "REF", fmt.Sprintf(`{"$ref":"#/definitions/a%d"}`, i+1))))
	}
	defs = append(defs, `"a40":`+last)
	if draft != "" {
		draft = fmt.Sprintf(`"$schema":%q,`, draft)
	}
	return `{` + draft + `"allOf":[{"$ref":"#/definitions/a0"}],"definitions":{` + strings.Join(defs, ",") + `}}`
}

// bombs take 2⁴⁰ steps, or more steps than a test could run.
var bombs = map[string]struct{ schema, value string }{
	"allOf":                  {doubling("", `{"allOf":[REF,REF]}`, `{"type":"object"}`), `{}`},
	"anyOf":                  {doubling("", `{"anyOf":[REF,REF]}`, `{"type":"string"}`), `{}`},
	"oneOf":                  {doubling("", `{"oneOf":[REF,REF]}`, `{"type":"string"}`), `{}`},
	"not":                    {doubling("", `{"not":REF,"anyOf":[{"not":REF}]}`, `{"type":"string"}`), `{}`},
	"not, then anyOf":        {doubling("", `{"not":{"anyOf":[REF,REF]}}`, `{"type":"string"}`), `{}`},
	"if, then":               {doubling("", `{"if":REF,"then":REF}`, `true`), `{}`},
	"if, else":               {doubling("", `{"if":REF,"else":REF}`, `false`), `{}`},
	"dependentSchemas":       {doubling("", `{"dependentSchemas":{"x":REF,"y":REF}}`, `{"type":"object"}`), `{"x":1,"y":1}`},
	"dependencies":           {doubling(draft7, `{"dependencies":{"x":REF,"y":REF}}`, `{"type":"object"}`), `{"x":1,"y":1}`},
	"allOf of draft 7":       {doubling(draft7, `{"allOf":[REF,REF]}`, `{"type":"object"}`), `{}`},
	"allOf beside anyOf":     {doubling("", `{"allOf":[REF],"anyOf":[REF]}`, `{"type":"string"}`), `{}`},
	"$dynamicRef":            {strings.ReplaceAll(doubling("", `{"allOf":[REF,REF]}`, `{"type":"object"}`), `"$ref"`, `"$dynamicRef"`), `{}`},
	"$recursiveRef":          {strings.ReplaceAll(doubling(draft2019, `{"allOf":[REF,REF]}`, `{"type":"object"}`), `"$ref"`, `"$recursiveRef"`), `{}`},
	"$dynamicRef by anchors": {`{"$ref":"#a0","$defs":{` + anchors(40) + `}}`, `{}`},
	"unevaluatedProperties at the same value": {doubling("", `{"unevaluatedProperties":false,"anyOf":[REF,REF]}`, `{"properties":{"x":true}}`), `{"x":1}`},
	"unevaluatedItems at the same value":      {doubling("", `{"unevaluatedItems":false,"anyOf":[REF,REF]}`, `{"prefixItems":[true]}`), `[1,2]`},

	"properties":            {`{"properties":{"a":{"allOf":[{"$ref":"#"},{"$ref":"#"}]}}}`, nested(`{"a":`, `{}`, `}`, 40)},
	"patternProperties":     {`{"patternProperties":{"^a":{"$ref":"#"},"a$":{"$ref":"#"}}}`, nested(`{"a":`, `{}`, `}`, 40)},
	"additionalProperties":  {`{"additionalProperties":{"anyOf":[{"$ref":"#"},{"$ref":"#"}]},"required":["a"]}`, nested(`{"a":`, `{}`, `}`, 40)},
	"unevaluatedProperties": {`{"unevaluatedProperties":{"oneOf":[{"$ref":"#"},{"$ref":"#"}]}}`, nested(`{"a":`, `{}`, `}`, 40)},
	"several of one value":  {`{"properties":{"a":{"$ref":"#"}},"allOf":[{"patternProperties":{"a":{"$ref":"#"}}}]}`, nested(`{"a":`, `{}`, `}`, 40)},
	"items":                 {`{"items":{"allOf":[{"$ref":"#"},{"$ref":"#"}]}}`, nested(`[`, `1`, `]`, 40)},
	"items, and in a list":  {`{"$schema":"` + draft7 + `","items":[{"$ref":"#"}],"allOf":[{"items":{"$ref":"#"}}]}`, nested(`[`, `1`, `]`, 40)},
	"additionalItems":       {`{"$schema":"` + draft7 + `","items":[true],"additionalItems":{"allOf":[{"$ref":"#"},{"$ref":"#"}]}}`, nested(`[0,`, `1`, `]`, 40)},
	"prefixItems":           {`{"prefixItems":[{"allOf":[{"$ref":"#"},{"$ref":"#"}]}]}`, nested(`[`, `1`, `]`, 40)},
	"contains":              {`{"contains":{"$ref":"#"},"items":{"$ref":"#"}}`, nested(`[`, `1`, `]`, 40)},
	"unevaluatedItems":      {`{"unevaluatedItems":{"allOf":[{"$ref":"#"},{"$ref":"#"}]}}`, nested(`[`, `1`, `]`, 40)},
	"if below not":          {`{"if":{"not":{"items":{"$ref":"#"}}},"then":false,"else":{"items":{"$ref":"#"}}}`, nested(`[`, `1`, `]`, 60)},
	"$dynamicRef, below":    {`{"$dynamicAnchor":"n","items":{"allOf":[{"$dynamicRef":"#n"},{"$dynamicRef":"#n"}]}}`, nested(`[`, `1`, `]`, 40)},
	"$dynamicRef, elsewhere": { // only the reference leads to the schema
		`{"$ref":"tree","$defs":{"strict":{"$dynamicAnchor":"n","items":{"allOf":[{"$ref":"tree"},{"$ref":"tree"}]}},` +
			`"tree":{"$id":"tree","$dynamicRef":"#n","$defs":{"any":{"$dynamicAnchor":"n"}}}}}`, nested(`[`, `1`, `]`, 40),
	},
	"$recursiveRef, below":        {`{"$schema":"` + draft2019 + `","$recursiveAnchor":true,"items":{"allOf":[{"$recursiveRef":"#"},{"$recursiveRef":"#"}]}}`, nested(`[`, `1`, `]`, 40)},
	"references to escaped names": {escaped(doubling("", `{"allOf":[REF,REF]}`, `{}`)), `{}`},
	"a schema with an identifier": {`{"$id":"https://example.com/s","$ref":"s#/$defs/x","$defs":{"x":{"$id":"x/","items":{"allOf":[{"$ref":"../x/"},{"$ref":"#"}]}}}}`, nested(`[`, `1`, `]`, 40)},

	"enum":             {`{"items":{"enum":[` + repeat(`"v%[1]d"`, 5000) + `]}}`, `[` + repeat(`"x"`, 50_000) + `]`},
	"enum of numbers":  {`{"items":{"enum":[` + repeat(`%[1]d`, 5000) + `]}}`, `[` + repeat(`-1`, 50_000) + `]`},
	"const":            {`{"items":{"const":[` + repeat(`1`, 5000) + `]}}`, `[` + repeat(`[1]`, 40_000) + `]`},
	"required":         {`{"items":{"required":[` + repeat(`"r%[1]d"`, 5000) + `]}}`, `[` + repeat(`{}`, 50_000) + `]`},
	"numbers":          {`{"items":{"multipleOf":1.7e-399}}`, `[` + repeat(`1.3e-398`, 50_000) + `]`},
	"uniqueItems":      {`{"uniqueItems":true}`, `[` + ambiguous(12) + `]`},
	"pattern":          {`{"items":{"pattern":"(a?){1000}b"}}`, `[` + repeat(`"`+strings.Repeat("a", 1000)+`"`, 1000) + `]`},
	"pattern of names": {`{"patternProperties":{"(a?){1000}b":true}}`, `{` + repeat(`"`+strings.Repeat("a", 1000)+`%[1]d":1`, 1000) + `}`},
	"format regex":     {`{"$schema":"` + draft7 + `","items":{"format":"regex"}}`, `[` + repeat(`"`+strings.Repeat(`\\pL`, 300)+`%[1]d"`, 1000) + `]`},
	"names":            {`{"propertyNames":{"allOf":[` + repeat(`{"maxLength":%[1]d}`, 100) + `]}}`, `{` + repeat(`"k%[1]d":1`, 40_000) + `}`},
	"wide and checked": {`{"unevaluatedProperties":false,"allOf":[` + repeat(`{"properties":{"k%[1]d":true}}`, 500) + `]}`, `{` + repeat(`"k%[1]d":1`, 40_000) + `}`},
}

// anchors returns schemas with dynamic anchors, each of which refers to the next one twice.
func anchors(n int) string {
	out := fmt.Sprintf(`"a%d":{"$dynamicAnchor":"a%d"}`, n, n)
	for i := range n {
		out += fmt.Sprintf(`,"a%d":{"$dynamicAnchor":"a%d","allOf":[{"$dynamicRef":"#a%d"},{"$dynamicRef":"#a%d"}]}`, i, i, i+1, i+1)
	}
	return out
}

// escaped renames the schemas of a doubling to names that have to be escaped in a reference.
func escaped(schema string) string {
	schema = strings.ReplaceAll(schema, `#/definitions/a`, `#/definitions/~1%25%7e0`)
	return regexp.MustCompile(`"a([0-9]+":)`).ReplaceAllString(schema, `"/%~$1`)
}

// ambiguous returns 2ⁿ lists that have the same hash in the library.
func ambiguous(n int) string {
	var out []string
	for i := range 1 << n {
		text, open := "", 1
		for bit := range n {
			if text += "["; i>>bit&1 == 1 {
				text += "],"
			} else {
				open++
			}
		}
		out = append(out, "["+text+"1"+strings.Repeat("]", open))
	}
	return strings.Join(out, ",")
}

// A schema that takes too much work is rejected by counting, and with little memory. Not in parallel, because it
// measures memory.
func TestBombs(t *testing.T) {
	for name, tc := range bombs {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			steps, err := guarded(t, tc.schema, tc.value)
			runtime.ReadMemStats(&after)
			if !isLimit(err) {
				t.Errorf("%d steps, %.300v; want a limit", steps, err)
			}
			// The memory for decoding the text is not the schema's fault.
			if took := after.TotalAlloc - before.TotalAlloc; !raceDetector && took > 20<<20+16*uint64(len(tc.value)) {
				t.Errorf("took %d KiB", took>>10)
			}
		})
	}
}
