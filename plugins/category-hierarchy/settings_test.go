// SPDX-License-Identifier: Apache-2.0

package main

import (
	stdjson "encoding/json"
	"testing"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text  string
		want  settings
		error string
	}{
		"defaults":            {`{}`, settings{10, false}, ""},
		"both":                {`{"max_depth":3,"auto_create_parents":true}`, settings{3, true}, ""},
		"depth too small":     {`{"max_depth":0}`, settings{}, "max_depth: must be at least 1 (at byte 13)"},
		"depth of wrong type": {`{"max_depth":"3"}`, settings{}, "max_depth: want a number, found a string (at byte 13)"},
		"depth with fraction": {`{"max_depth":1.5}`, settings{}, "max_depth: want a 64-bit integer, found 1.5 (at byte 13)"},
		"flag of wrong type":  {`{"auto_create_parents":1}`, settings{}, "auto_create_parents: want a boolean, found a number (at byte 23)"},
		"misspelt":            {`{"maxDepth":3}`, settings{}, "maxDepth: is not a setting of this plugin (at byte 12)"},
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

func TestSettings_schemaAgrees(t *testing.T) {
	t.Parallel()
	var schema struct {
		AdditionalProperties *bool
		Properties           map[string]struct {
			Type    string
			Minimum *int64
			Default any
		}
	}
	if err := stdjson.Unmarshal([]byte(settingsSchema), &schema); err != nil {
		t.Fatal(err)
	}
	depth, create := schema.Properties["max_depth"], schema.Properties["auto_create_parents"]
	if len(schema.Properties) != 2 || schema.AdditionalProperties == nil || *schema.AdditionalProperties {
		t.Errorf("schema %+v", schema)
	}
	if depth.Type != "integer" || depth.Minimum == nil || *depth.Minimum != 1 || depth.Default != 10.0 {
		t.Errorf("max_depth %+v", depth)
	}
	if create.Type != "boolean" || create.Default != false {
		t.Errorf("auto_create_parents %+v", create)
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	p := plugin(new(settings))
	text, err := p.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Name, Version, Language string
		ForTypes                []struct{ APIVersion, Kind string }
		Capabilities            []k1s.Capability
	}
	if err := stdjson.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got.Name != "category-hierarchy" || got.Version != "v1.0.0" || got.Language != "go" ||
		len(got.ForTypes) != 1 || got.ForTypes[0].APIVersion != "inventory.example.com/v1alpha1" || got.ForTypes[0].Kind != "Category" ||
		len(got.Capabilities) != 2 || got.Capabilities[0] != k1s.CapabilityReconcile || got.Capabilities[1] != k1s.CapabilityStatusUpdate {
		t.Errorf("metadata %s", text)
	}
}
