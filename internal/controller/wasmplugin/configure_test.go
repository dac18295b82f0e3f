// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/plugin/settings"
)

func configureOf(k fakeSecrets) configure {
	return configure{secrets: k, checks: &settings.Checker{}}
}

// fakeSecrets has Secrets, and counts how often each is read.
type fakeSecrets struct {
	secrets map[string]map[string][]byte
	reads   map[string]int
}

func (k fakeSecrets) Secret(_ context.Context, _ rbac.Identity, name string) (map[string][]byte, error) {
	k.reads[name]++
	if data, ok := k.secrets[name]; ok {
		return data, nil
	}
	if name == "unavailable" {
		return nil, apierrors.NewInternalError(errors.New("etcd is away"))
	}
	return nil, apierrors.NewNotFound(corev1.Resource("secrets"), name)
}

func settingFrom(as, name, key string) pluginsv1alpha1.SettingSource {
	return pluginsv1alpha1.SettingSource{As: as, SecretRef: pluginsv1alpha1.SecretKeyReference{Name: name, Key: key}}
}

func TestConfigure(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		from     []pluginsv1alpha1.SettingSource
		settings string
		reason   string
		recovery recovery
		reads    map[string]int
	}{
		"none":        {nil, "{}", "", 0, map[string]int{}},
		"two of one":  {[]pluginsv1alpha1.SettingSource{settingFrom("u", "mail", "user"), settingFrom("p", "mail", "password")}, `{"p":"hunter2","u":"me"}`, "", 0, map[string]int{"mail": 1}},
		"missing":     {[]pluginsv1alpha1.SettingSource{settingFrom("p", "gone", "password")}, "", pluginsv1alpha1.ReasonSecretNotFound, wait, map[string]int{"gone": 1}},
		"missing key": {[]pluginsv1alpha1.SettingSource{settingFrom("p", "mail", "pass")}, "", pluginsv1alpha1.ReasonSecretKeyNotFound, wait, map[string]int{"mail": 1}},
		"no text":     {[]pluginsv1alpha1.SettingSource{settingFrom("p", "mail", "binary")}, "", pluginsv1alpha1.ReasonSecretInvalid, wait, map[string]int{"mail": 1}},
		"unavailable": {[]pluginsv1alpha1.SettingSource{settingFrom("p", "unavailable", "x")}, "", pluginsv1alpha1.ReasonSecretUnavailable, retry, map[string]int{"unavailable": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := fakeSecrets{reads: map[string]int{}, secrets: map[string]map[string][]byte{
				"mail": {"user": []byte("me"), "password": []byte("hunter2"), "binary": {0xff}},
			}}
			l := loadOf(t, func(s *pluginsv1alpha1.WasmPluginSpec) { s.SettingsFrom = tc.from })
			p := configureOf(k).run(t.Context(), l)
			switch {
			case tc.reason == "" && p != nil:
				t.Errorf("got %v", p)
			case tc.reason == "" && string(l.plan.Settings) != tc.settings:
				t.Errorf("settings are %s, want %s", l.plan.Settings, tc.settings)
			case tc.reason != "" && (p == nil || p.condition != pluginsv1alpha1.ConditionSettingsValid || p.reason != tc.reason || p.recovery != tc.recovery):
				t.Errorf("got %+v, want %s", p, tc.reason)
			}
			if diff := cmp.Diff(tc.reads, k.reads); diff != "" {
				t.Errorf("reads: -want +got:\n%s", diff)
			}
		})
	}
}

// TestConfigure_fingerprint shows that a changed value results in another revision, although the spec is the same.
func TestConfigure_fingerprint(t *testing.T) {
	t.Parallel()
	of := func(value string) string {
		k := fakeSecrets{reads: map[string]int{}, secrets: map[string]map[string][]byte{"mail": {"password": []byte(value)}}}
		l := loadOf(t, func(s *pluginsv1alpha1.WasmPluginSpec) {
			s.SettingsFrom = []pluginsv1alpha1.SettingSource{settingFrom("p", "mail", "password")}
		})
		if p := configureOf(k).run(t.Context(), l); p != nil {
			t.Fatal(p)
		}
		return l.plan.Fingerprint("digest")
	}
	first, second := of("one"), of("one")
	if first == of("two") || first != second {
		t.Error("the fingerprint does not follow the value")
	}
}

// TestConfigure_noResult shows that a check without a result is not an error of the schema, the settings or a Secret.
func TestConfigure_noResult(t *testing.T) {
	t.Parallel()
	l := loadOf(t, nil)
	l.plan.Metadata.ConfigSchema = json.RawMessage(`{"properties":{"l":{"items":{"type":"string"}}}}`)
	l.plan.Settings = json.RawMessage(`{"l":[` + strings.Repeat(`"x",`, 5_000) + `"x"]}`)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	c := configureOf(fakeSecrets{})
	if p := c.run(ended, l); p == nil || p.recovery != retry || p.reason != pluginsv1alpha1.ReasonPending || p.condition != pluginsv1alpha1.ConditionSettingsValid {
		t.Errorf("got %v", p)
	}
	if p := c.run(t.Context(), l); p != nil {
		t.Errorf("the next one: %v", p)
	}
}

// TestConfigure_fromSecret shows that a value that becomes secret results in another revision, because the serving
// one does not redact it.
func TestConfigure_fromSecret(t *testing.T) {
	t.Parallel()
	k := fakeSecrets{reads: map[string]int{}, secrets: map[string]map[string][]byte{"mail": {"password": []byte("hunter2")}}}
	inSpec := loadOf(t, func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.Settings = &runtime.RawExtension{Raw: []byte(`{"p":"hunter2"}`)}
	})
	inSecret := loadOf(t, func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.SettingsFrom = []pluginsv1alpha1.SettingSource{settingFrom("p", "mail", "password")}
	})
	for _, l := range []*load{inSpec, inSecret} {
		if p := configureOf(k).run(t.Context(), l); p != nil {
			t.Fatal(p)
		}
	}
	if string(inSpec.plan.Settings) != string(inSecret.plan.Settings) {
		t.Fatalf("settings are %s and %s", inSpec.plan.Settings, inSecret.plan.Settings)
	}
	if inSpec.plan.Fingerprint("m") == inSecret.plan.Fingerprint("m") {
		t.Error("they are one revision")
	}
}
