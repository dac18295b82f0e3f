// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/runtime"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// maxSecret is the maximum size of one secret value, in bytes.
const maxSecret = 32 << 10

// Secret is a member of the settings whose value is never shown.
type Secret struct {
	// As is the name of the member.
	As string
	// Value is UTF-8 text.
	Value string
}

// NewSecret returns the Secret for the value that a reference selects. The error is a *plugin.LoadError.
func NewSecret(from pluginsv1alpha1.SettingSource, value []byte) (Secret, error) {
	switch {
	case len(value) > maxSecret:
		return Secret{}, plugin.Reject(pluginsv1alpha1.ReasonSecretInvalid, "key %q of Secret %q has %d bytes, more than the %d of a setting",
			from.SecretRef.Key, from.SecretRef.Name, len(value), maxSecret)
	case !utf8.Valid(value):
		return Secret{}, plugin.Reject(pluginsv1alpha1.ReasonSecretInvalid,
			"key %q of Secret %q is not UTF-8 text, which a setting must be: store it encoded, for example in base64", from.SecretRef.Key, from.SecretRef.Name)
	}
	return Secret{As: from.As, Value: string(value)}, nil
}

// CheckNames rejects a member that is set in both spec.settings and spec.settingsFrom. The error is a
// *plugin.LoadError.
func CheckNames(settings *runtime.RawExtension, from []pluginsv1alpha1.SettingSource) error {
	if settings == nil || len(settings.Raw) == 0 || len(from) == 0 {
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(settings.Raw, &members); err != nil { // the API server accepts only objects
		return plugin.Reject(pluginsv1alpha1.ReasonSettingsInvalid, "spec.settings is not a JSON object: %v", err)
	}
	for i, f := range from {
		if _, ok := members[f.As]; ok {
			return plugin.Reject(pluginsv1alpha1.ReasonSettingsConflict,
				"spec.settingsFrom[%d] is %q, which spec.settings has too: remove one of them", i, f.As)
		}
	}
	return nil
}

// Merge adds secrets to settings, which are a JSON object. Empty settings are treated as {}.
func Merge(settings json.RawMessage, secrets []Secret) (json.RawMessage, error) {
	if len(secrets) == 0 {
		return settings, nil
	}
	members := map[string]json.RawMessage{}
	if len(settings) > 0 {
		if err := json.Unmarshal(settings, &members); err != nil {
			return nil, plugin.Reject(pluginsv1alpha1.ReasonSettingsInvalid, "spec.settings is not a JSON object: %v", err)
		}
	}
	for _, s := range secrets {
		value, err := plainJSON(s.Value)
		if err != nil {
			return nil, err
		}
		members[s.As] = value
	}
	return plainJSON(members)
}

// plainJSON is like json.Marshal, but does not escape characters for HTML.
func plainJSON(v any) (json.RawMessage, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// RedactorOf returns a Redactor for secrets, or nil if there are none.
func RedactorOf(secrets []Secret) *plugin.Redactor {
	if len(secrets) == 0 {
		return nil
	}
	values := make([]string, len(secrets))
	for i, s := range secrets {
		values[i] = s.Value
	}
	return plugin.NewRedactor(values...)
}
