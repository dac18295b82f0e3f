// SPDX-License-Identifier: Apache-2.0

package main

import (
	stdjson "encoding/json"
	"testing"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text  string
		want  settings
		error string
	}{
		"defaults":           {`{}`, settings{}, ""},
		"both":               {`{"validation_level":"lenient","default_category":"misc"}`, settings{true, "misc"}, ""},
		"strict":             {`{"validation_level":"strict"}`, settings{}, ""},
		"another level":      {`{"validation_level":"Strict"}`, settings{}, "validation_level: must be strict or lenient (at byte 27)"},
		"level of no string": {`{"validation_level":1}`, settings{}, "validation_level: want a string, found a number (at byte 20)"},
		"misspelt":           {`{"defaultCategory":"x"}`, settings{}, "defaultCategory: is not a setting of this plugin (at byte 21)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got settings
			err := json.Unmarshal(c.text, &got)
			switch {
			case c.error == "" && (err != nil || got != c.want):
				t.Errorf("got %+v, %v", got, err)
			case c.error != "" && (err == nil || err.Error() != c.error):
				t.Errorf("error %v, want %s", err, c.error)
			}
		})
	}
}

// The operator relies on the metadata.
func TestMetadata(t *testing.T) {
	t.Parallel()
	p := plugin(new(settings))
	p.ConfigSchema = ""
	text, err := p.Metadata()
	const want = `{"name":"item-validator","version":"v1.0.0","author":"The k1s authors",` +
		`"description":"Holds Items against the rules of a shop, and gives them a category.","language":"go",` +
		`"forTypes":[{"apiVersion":"inventory.example.com/v1alpha1","kind":"Item"}],"capabilities":["validation","defaulting"],` +
		`"runtime":{"abi":1,"deterministic":true},"admission":{"operations":["CREATE","UPDATE"]}}`
	if err != nil || string(text) != want {
		t.Errorf("got  %s, %v\nwant %s", text, err, want)
	}
}

func TestSettings_schemaAgrees(t *testing.T) {
	t.Parallel()
	var schema struct {
		AdditionalProperties *bool
		Properties           map[string]struct {
			Type, Default string
			Enum          []string
		}
	}
	if err := stdjson.Unmarshal([]byte(settingsSchema), &schema); err != nil {
		t.Fatal(err)
	}
	level, category := schema.Properties["validation_level"], schema.Properties["default_category"]
	if len(schema.Properties) != 2 || schema.AdditionalProperties == nil || *schema.AdditionalProperties {
		t.Errorf("schema %+v", schema)
	}
	if level.Type != "string" || level.Default != "strict" || category.Type != "string" || category.Default != "" {
		t.Errorf("properties %+v", schema.Properties)
	}
	for _, allowed := range level.Enum {
		if err := json.Unmarshal(`{"validation_level":"`+allowed+`"}`, new(settings)); err != nil {
			t.Errorf("the plugin does not take %q: %v", allowed, err)
		}
	}
}
