// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv/table"
)

// No violated rule of a schema produces an error that shows a secret.
func TestCheck_secretsAreNotShown(t *testing.T) {
	t.Parallel()
	type secretCase struct {
		Name, Value, Want string
		Schema            table.JSON
	}
	for _, tc := range table.Read[secretCase](t, "secrets.yaml") {
		secrets := []Secret{{As: "token", Value: tc.Value}}
		merged, err := Merge(nil, secrets)
		if err != nil {
			t.Fatal(err)
		}
		err = Check(t.Context(), json.RawMessage(tc.Schema), merged, secrets...)
		if err == nil || strings.Contains(err.Error(), tc.Value) || !strings.Contains(err.Error(), tc.Want) {
			t.Errorf("%s: got %v, want %s", tc.Name, err, tc.Want)
		}
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		settings string
		secrets  []Secret
		want     string
	}{
		"nothing":     {``, nil, ``},
		"no secrets":  {`{"b": 1.50}`, nil, `{"b": 1.50}`},
		"no settings": {``, []Secret{{"token", "x"}}, `{"token":"x"}`},
		"both":        {`{"b":1.50,"a":{"z":1}}`, []Secret{{"token", "<x>\n\"y\""}}, `{"a":{"z":1},"b":1.50,"token":"<x>\n\"y\""}`},
	} {
		got, err := Merge(json.RawMessage(tc.settings), tc.secrets)
		if err != nil || string(got) != tc.want {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, tc.want)
		}
	}
	if _, err := Merge(json.RawMessage(`[1]`), []Secret{{"token", "x"}}); err == nil {
		t.Error("a list was taken for settings")
	}
}

func TestSecrets_rejected(t *testing.T) {
	t.Parallel()
	from := pluginsv1alpha1.SettingSource{As: "token", SecretRef: pluginsv1alpha1.SecretKeyReference{Name: "mail", Key: "password"}}
	_, long := NewSecret(from, make([]byte, maxSecret+1))
	_, binary := NewSecret(from, []byte("hunter2\xff"))
	clash := CheckNames(&runtime.RawExtension{Raw: []byte(`{"token":"hunter2"}`)}, []pluginsv1alpha1.SettingSource{from})
	for _, tc := range []struct {
		err          error
		reason, want string
	}{
		{long, pluginsv1alpha1.ReasonSecretInvalid, `key "password" of Secret "mail" has 32769 bytes, more than the 32768 of a setting`},
		{binary, pluginsv1alpha1.ReasonSecretInvalid, `key "password" of Secret "mail" is not UTF-8 text`},
		{clash, pluginsv1alpha1.ReasonSettingsConflict, `spec.settingsFrom[0] is "token", which spec.settings has too`},
	} {
		var load *plugin.LoadError
		if !errors.As(tc.err, &load) || load.Reason != tc.reason || !strings.Contains(load.Message, tc.want) || strings.Contains(load.Message, "hunter2") {
			t.Errorf("got %v, want %s: %s", tc.err, tc.reason, tc.want)
		}
	}
	if secret, err := NewSecret(from, []byte("hunter2")); err != nil || secret.Value != "hunter2" {
		t.Errorf("got %v", err)
	}
	if err := CheckNames(&runtime.RawExtension{Raw: []byte(`{"other":1}`)}, []pluginsv1alpha1.SettingSource{from}); err != nil {
		t.Error(err)
	}
}
