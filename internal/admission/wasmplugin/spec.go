// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/plugin/settings"
)

// checkSpec makes the checks of the controller that are possible before the module is loaded: of the spec itself, and,
// if the spec pins a module that the operator knows, of both together.
func (v *validator) checkSpec(ctx context.Context, spec pluginsv1alpha1.WasmPluginSpec) error {
	if _, err := plugin.ParseForTypes(spec.ForTypes); err != nil {
		return err
	}
	if _, err := plugin.ParseOwns(spec.Owns); err != nil {
		return err
	}
	if err := plugin.CheckObjectSelector(spec.Admission.ObjectSelector); err != nil {
		return err
	}
	if err := settings.CheckNames(spec.Settings, spec.SettingsFrom); err != nil {
		return err
	}
	metadata, ok := v.Known.Known(plugin.Digest(spec.SHA256))
	if !ok {
		return nil
	}
	if _, err := plugin.ResolveCapabilities(spec.Capabilities, metadata.Capabilities); err != nil {
		return err
	}
	if _, err := plugin.ResolveTypes(spec.ForTypes, metadata.ForTypes); err != nil {
		return err
	}
	if len(spec.SettingsFrom) > 0 {
		return nil // the content of the Secrets is not known here, and a schema may depend on it
	}
	settings := json.RawMessage("{}")
	if spec.Settings != nil && len(spec.Settings.Raw) > 0 {
		settings = spec.Settings.Raw
	}
	return v.checkSettings(ctx, metadata.ConfigSchema, settings)
}

// settingsTime is how long a request waits for the check of its settings. The API server waits for 5 s.
const settingsTime = 2 * time.Second

// checkSettings leaves the check of the settings to the controller if there is no result in time: many requests at once
// must not use the memory or the CPU that plugins need.
func (v *validator) checkSettings(ctx context.Context, schema, settings json.RawMessage) error {
	ctx, cancel := context.WithTimeout(ctx, settingsTime)
	defer cancel()
	err := v.settingsChecks.Check(ctx, schema, settings)
	var load *plugin.LoadError
	if err != nil && !errors.As(err, &load) {
		return nil
	}
	return err
}
