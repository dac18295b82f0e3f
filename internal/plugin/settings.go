// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// schemaURL names the schema inside the validator; it is never fetched.
const schemaURL = "k1s:config-schema"

// CheckSettings validates settings, a JSON object, against a module's schema; no schema allows
// anything. The error is a *LoadError that lists every member that is wrong.
func CheckSettings(schema, settings json.RawMessage) error {
	if len(schema) == 0 {
		return nil
	}
	compiled, err := compileSchema(schema)
	if err != nil {
		return &LoadError{
			Reason:  pluginsv1alpha1.ReasonSchemaInvalid,
			Message: "the module's configSchema is no JSON Schema: ask the module's author for a fixed version",
			Err:     err,
		}
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(settings))
	if err != nil {
		return Refuse(pluginsv1alpha1.ReasonSettingsInvalid, "spec.settings is no JSON: %v", err)
	}
	err = compiled.Validate(value)
	var invalid *jsonschema.ValidationError
	if errors.As(err, &invalid) {
		return Refuse(pluginsv1alpha1.ReasonSettingsInvalid,
			"spec.settings does not meet the module's schema: %s", strings.Join(explain(invalid), "; "))
	}
	return err
}

func compileSchema(schema json.RawMessage) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	if err := c.AddResource(schemaURL, doc); err != nil {
		return nil, err
	}
	return c.Compile(schemaURL)
}

// noLoader refuses references to other documents: a module must not make the operator read files or URLs.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("reference to %q: a schema may only refer to itself", url)
}

// explain returns one sentence for each leaf of a validation error, sorted so that it is always the same.
func explain(e *jsonschema.ValidationError) []string {
	if len(e.Causes) == 0 {
		at := "settings"
		for _, part := range e.InstanceLocation {
			at += "." + part
		}
		return []string{at + ": " + e.ErrorKind.LocalizedString(message.NewPrinter(language.English))}
	}
	var all []string
	for _, cause := range e.Causes {
		all = append(all, explain(cause)...)
	}
	sort.Strings(all)
	return all
}
