// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

const (
	invalid   = pluginsv1alpha1.ReasonSettingsInvalid
	badReason = pluginsv1alpha1.ReasonSchemaInvalid
)

var settingsTests = []struct {
	name, schema, settings string
	reason                 string // empty if the settings are valid
	want                   string // the end of the message
}{
	{name: "no schema", settings: `{"anything":[1]}`},
	{name: "fits", schema: `{"type":"object","properties":{"n":{"type":"integer","minimum":1}},"required":["n"]}`, settings: `{"n":3}`},
	{name: "anything", schema: `true`, settings: `{}`},
	{name: "refers to itself", schema: `{"$defs":{"s":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/s"}}}`, settings: `{"a":"b"}`},
	{name: "a tree", schema: `{"properties":{"child":{"$ref":"#"}},"additionalProperties":false}`, settings: `{"child":{"child":{}}}`},
	{name: "an older draft", schema: `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}`, settings: `{}`},
	{name: "large numbers", schema: `{"properties":{"a":{"maximum":1e308}}}`, settings: `{"a":1e307}`},

	{
		name: "every member that is wrong", reason: invalid,
		schema:   `{"properties":{"b":{"type":"string"},"a":{"minimum":3},"l":{"items":{"enum":["x","y"]}}},"required":["z","y"]}`,
		settings: `{"a":1,"b":2,"l":["x","q"]}`,
		want:     "the module's schema: settings.a: minimum: got 1, want 3; settings.b: got number, want string; settings.l.1: value must be one of 'x', 'y'; settings: missing properties 'z', 'y'",
	},
	{
		name: "members too many, in the same order each time", reason: invalid, schema: `{"additionalProperties":false}`, settings: `{"e":1,"d":1,"c":1,"b":1,"a":1}`,
		want: "settings: additional properties 'a', 'b', 'c', 'd', 'e' not allowed",
	},
	{
		name: "members not looked at", reason: invalid, schema: `{"unevaluatedProperties":false}`, settings: `{"b":1,"a":1}`,
		want: "settings.a: not allowed; settings.b: not allowed",
	},
	{
		name: "names of members", reason: invalid, schema: `{"propertyNames":{"maxLength":1}}`, settings: `{"abc":1,"ab":1}`,
		want: "settings: the member name ab: maxLength: got 2, want 1; settings: the member name abc: maxLength: got 3, want 1",
	},
	{name: "either", reason: invalid, schema: `{"oneOf":[{"required":["a"]},{"required":["b"]}]}`, settings: `{}`, want: "settings: missing property 'a'; settings: missing property 'b'"},
	{name: "a list", reason: invalid, schema: `{"type":"object"}`, settings: `[]`, want: "settings: got array, want object"},
	{name: "no settings", reason: invalid, schema: `{}`, settings: ``, want: "spec.settings is not valid JSON: EOF"},
	{name: "two settings", reason: invalid, schema: `{}`, settings: `{}{}`, want: "invalid character after top-level value"},
	{name: "a number beyond reason", reason: invalid, schema: `{"properties":{"a":{"minimum":1}}}`, settings: `{"a":1e-10000000}`, want: "number 1e-10000000 is out of range"},
	{name: "a number of many digits", reason: invalid, schema: `{}`, settings: `{"a":` + strings.Repeat("9", 500) + `}`, want: "number 99999999999999999999 is out of range"},

	{name: "no JSON", reason: badReason, schema: `{`, settings: `{}`, want: "ask the module's author for a fixed version: unexpected EOF"},
	{name: "no schema but a list", reason: badReason, schema: `[]`, settings: `{}`, want: "configSchema: got array, want boolean or object"},
	{name: "several faults", reason: badReason, schema: `{"type":"text","minLength":-1}`, settings: `{}`, want: "minLength: minimum: got -1, want 0; configSchema.type: got string, want array; configSchema.type: value must be one of 'array', 'boolean', 'integer', 'null', 'number', 'object', 'string'"},
	{name: "a bad pattern", reason: badReason, schema: `{"properties":{"a":{"pattern":"("}}}`, settings: `{}`, want: "missing closing ): `(`"},
	{name: "a URL", reason: badReason, schema: `{"$ref":"https://example.com/s.json"}`, settings: `{}`, want: `it refers to ["https://example.com/s.json"]: a schema may only refer to itself`},
	{name: "files", reason: badReason, schema: `{"allOf":[{"$ref":"file:///b"},{"$ref":"file:///a"}]}`, settings: `{}`, want: `it refers to ["file:///a" "file:///b"]: a schema may only refer to itself`},
	{name: "a path", reason: badReason, schema: `{"$ref":"other.json"}`, settings: `{}`, want: "a schema may only refer to itself"},
	{name: "another dialect", reason: badReason, schema: `{"$schema":"https://example.com/dialect"}`, settings: `{}`, want: "a schema may only refer to itself"},
	{name: "goes round", reason: badReason, schema: `{"$ref":"#"}`, settings: `{}`, want: "it refers to itself without end"},
	{name: "goes round in two steps", reason: badReason, schema: `{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}`, settings: `{}`, want: "it refers to itself without end"},
	{name: "a limit beyond reason", reason: badReason, schema: `{"minimum":1e99999999}`, settings: `{}`, want: "number 1e99999999 is out of range"},
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, tt := range settingsTests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for range 10 { // maps have no order
				err := Check(t.Context(), json.RawMessage(tt.schema), json.RawMessage(tt.settings))
				if tt.reason == "" {
					if err != nil {
						t.Fatal(err)
					}
					continue
				}
				var load *plugin.LoadError
				if !errors.As(err, &load) || load.Reason != tt.reason || !strings.HasSuffix(load.Error(), tt.want) {
					t.Fatalf("got %v\nwant %s: %s", err, tt.reason, tt.want)
				}
			}
		})
	}
}

func FuzzCheck(f *testing.F) {
	for _, tt := range settingsTests {
		f.Add([]byte(tt.schema), []byte(tt.settings))
	}
	f.Fuzz(func(t *testing.T, schema, settings []byte) {
		err := Check(t.Context(), schema, settings)
		if second := Check(t.Context(), schema, settings); (err == nil) != (second == nil) || err != nil && err.Error() != second.Error() {
			t.Errorf("got %v, then %v", err, second)
		}
		var load *plugin.LoadError
		if err != nil && !errors.As(err, &load) {
			t.Errorf("got %v, want a plugin.LoadError", err)
		}
	})
}
