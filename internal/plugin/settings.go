// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// schemaURL names the schema inside the validator; it is never fetched.
const schemaURL = "k1s:///config-schema"

// CheckSettings validates settings, a JSON object, against a module's schema; no schema allows
// anything. The error is a *LoadError that lists every member that is wrong, always in the same order. Nothing
// is told of the values of secrets.
func CheckSettings(schema, settings json.RawMessage, secrets ...Secret) (err error) {
	if len(schema) == 0 {
		return nil
	}
	// The schema is a stranger's, and the validator a large piece of code.
	defer func() {
		if fault := recover(); fault != nil {
			err = badSchema(errors.New("the validator failed"))
			if len(secrets) == 0 {
				err = badSchema(fmt.Errorf("the validator failed: %v", fault))
			}
		}
	}()
	compiled, err := compileSchema(schema)
	if err != nil {
		return badSchema(err)
	}
	value, err := decodeJSON(settings)
	if err != nil {
		return Refuse(pluginsv1alpha1.ReasonSettingsInvalid, "spec.settings is no JSON that can be checked: %v", err)
	}
	err = compiled.Validate(value)
	var invalid *jsonschema.ValidationError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &invalid):
		return badSchema(err)
	case hasCycle(invalid):
		return badSchema(errors.New("it refers to itself without end"))
	}
	return Refuse(pluginsv1alpha1.ReasonSettingsInvalid,
		"spec.settings does not meet the module's schema: %s", RedactorOf(secrets).Text(strings.Join(explain("settings", invalid, secrets...), "; ")))
}

// badSchema blames the module.
func badSchema(err error) error {
	return &LoadError{
		Reason:  pluginsv1alpha1.ReasonSchemaInvalid,
		Message: "the module's configSchema is no JSON Schema: ask the module's author for a fixed version",
		Err:     err,
	}
}

func compileSchema(schema json.RawMessage) (*jsonschema.Schema, error) {
	doc, err := decodeJSON(schema)
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	var elsewhere noLoader
	c.UseLoader(&elsewhere)
	if err := c.AddResource(schemaURL, doc); err != nil {
		return nil, err
	}
	compiled, err := c.Compile(schemaURL)
	var refused *jsonschema.SchemaValidationError
	var invalid *jsonschema.ValidationError
	switch {
	case len(elsewhere) > 0:
		slices.Sort(elsewhere)
		return nil, fmt.Errorf("it refers to %q: a schema may only refer to itself", []string(slices.Compact(elsewhere)))
	case errors.As(err, &refused) && errors.As(refused.Err, &invalid):
		return nil, errors.New(strings.Join(explain("configSchema", invalid), "; "))
	}
	return compiled, err
}

// noLoader gathers references to other documents, which are refused: a module must not make the
// operator read files or URLs.
type noLoader []string

// Load implements jsonschema.URLLoader.
func (l *noLoader) Load(url string) (any, error) {
	*l = append(*l, url)
	return true, nil // the schema that allows anything, so that the other references come to light too
}

// decodeJSON reads one JSON value with its numbers as they are written. Those far beyond a float64 are
// refused: the validator computes with them exactly, which takes as many digits as the exponent says.
func decodeJSON(text json.RawMessage) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err != nil {
			break // the end, or what the validator's decoder will say better
		}
		if n, ok := token.(json.Number); ok && !reasonable(string(n)) {
			return nil, fmt.Errorf("number %.20s is out of range", n)
		}
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(text))
}

// reasonable says whether a number can be computed with exactly at no great cost.
func reasonable(number string) bool {
	const most = 400 // a float64 ends at 1e308
	mantissa, exponent, _ := strings.Cut(strings.ToLower(number), "e")
	digits := strings.TrimLeft(exponent, "+-0")
	return len(mantissa) <= most && len(digits) <= len("400") && (len(digits) < len("400") || digits <= "400")
}
