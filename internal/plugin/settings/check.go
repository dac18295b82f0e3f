// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/plugin/settings/schemaguard"
)

// Check validates settings, a JSON object, against a module's schema. Without a schema, all settings are valid. The
// error is a *plugin.LoadError that lists every invalid member, always in the same order. It never contains the value
// of a secret. If the context ends, Check stops and returns its error. The number of steps is limited in any case: a
// schema that needs more is rejected.
func Check(ctx context.Context, schema, settings json.RawMessage, secrets ...Secret) (err error) {
	if len(schema) == 0 {
		return nil
	}
	// The schema is untrusted, and the validator is a large piece of code.
	defer func() {
		if fault := recover(); fault != nil {
			err = badSchema(errors.New("the validator failed"))
			if len(secrets) == 0 {
				err = badSchema(fmt.Errorf("the validator failed: %v", fault))
			}
		}
	}()
	compiled, err := schemaguard.Compile(schema)
	if err != nil {
		return badSchema(explained(err))
	}
	err = compiled.Validate(ctx, settings)
	var text *schemaguard.InvalidText
	var limit *schemaguard.LimitError
	var invalid *jsonschema.ValidationError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &text):
		return plugin.Reject(pluginsv1alpha1.ReasonSettingsInvalid, "spec.settings is not valid JSON: %v", err)
	case errors.As(err, &limit):
		return &plugin.LoadError{
			Reason: pluginsv1alpha1.ReasonSchemaInvalid,
			Message: "the module's configSchema takes too much work for spec.settings as they are: " +
				"ask the module's author for a simpler schema, or use fewer or shorter settings",
			Err: err,
		}
	case !errors.As(err, &invalid):
		if plugin.Ended(ctx) {
			return err
		}
		return badSchema(err)
	case hasCycle(invalid):
		return badSchema(schemaguard.ErrEndless)
	}
	return plugin.Reject(pluginsv1alpha1.ReasonSettingsInvalid,
		"spec.settings does not meet the module's schema: %s", RedactorOf(secrets).Text(strings.Join(explain("settings", invalid, secrets...), "; ")))
}

// badSchema returns a LoadError that names the module's schema as the cause.
func badSchema(err error) error {
	message := "the module's configSchema is not a JSON Schema: ask the module's author for a fixed version"
	if limit := (*schemaguard.LimitError)(nil); errors.As(err, &limit) {
		message = "the module's configSchema takes too much work: ask the module's author for a simpler schema"
	}
	return &plugin.LoadError{Reason: pluginsv1alpha1.ReasonSchemaInvalid, Message: message, Err: err}
}

// explained returns the error of an invalid schema in the form of explain.
func explained(err error) error {
	var rejected *jsonschema.SchemaValidationError
	var invalid *jsonschema.ValidationError
	if errors.As(err, &rejected) && errors.As(rejected.Err, &invalid) {
		return errors.New(strings.Join(explain("configSchema", invalid), "; "))
	}
	return err
}
