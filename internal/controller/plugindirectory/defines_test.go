// SPDX-License-Identifier: Apache-2.0

package plugindirectory

import (
	"errors"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/source/directory"
)

type containing struct {
	found directory.Found
	err   error
}

func (h containing) Discover() (directory.Found, error) { return h.found, h.err }

// TestDefinitions_Defines shows that a directory does not define a WasmPlugin whose spec is different in any way.
func TestDefinitions_Defines(t *testing.T) {
	t.Parallel()
	spec := func() pluginsv1alpha1.WasmPluginSpec {
		return pluginsv1alpha1.WasmPluginSpec{
			Source:   pluginsv1alpha1.Source{File: &pluginsv1alpha1.FileSource{Path: "a.wasm"}},
			Security: pluginsv1alpha1.Security{AllowedVerbs: []pluginsv1alpha1.Verb{"get"}},
			Settings: &runtime.RawExtension{Raw: []byte(`{"a":1,"b":2}`)},
		}
	}
	found := directory.Found{Definitions: []directory.Definition{{Name: "a", Spec: spec()}}}
	for name, tc := range map[string]struct {
		name   string
		mutate func(*pluginsv1alpha1.WasmPluginSpec)
		found  directory.Found
		want   bool
	}{
		"as it is":            {"a", func(*pluginsv1alpha1.WasmPluginSpec) {}, found, true},
		"settings reordered":  {"a", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Settings.Raw = []byte(`{"b": 2, "a": 1}`) }, found, true},
		"another name":        {"b", func(*pluginsv1alpha1.WasmPluginSpec) {}, found, false},
		"another file":        {"a", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Source.File.Path = "b.wasm" }, found, false},
		"more verbs":          {"a", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Security.AllowedVerbs = nil }, found, false},
		"no verbs":            {"a", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Security.AllowedVerbs = []pluginsv1alpha1.Verb{} }, found, false},
		"more namespaces":     {"a", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Security.AllowedNamespaces = []string{"*"} }, found, false},
		"hosts":               {"a", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Security.AllowedHosts = []string{"a.example"} }, found, false},
		"other settings":      {"a", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Settings.Raw = []byte(`{"a":2,"b":2}`) }, found, false},
		"settings of Secrets": {"a", func(s *pluginsv1alpha1.WasmPluginSpec) { s.SettingsFrom = []pluginsv1alpha1.SettingSource{{As: "x"}} }, found, false},
		"another account":     {"a", func(s *pluginsv1alpha1.WasmPluginSpec) { s.ServiceAccountName = "other" }, found, false},
		"a problem": {"a", func(*pluginsv1alpha1.WasmPluginSpec) {}, directory.Found{
			Definitions: found.Definitions, Problems: []directory.Problem{{Name: "a"}},
		}, false},
		"nothing": {"a", func(*pluginsv1alpha1.WasmPluginSpec) {}, directory.Found{}, false},
	} {
		wp := &pluginsv1alpha1.WasmPlugin{ObjectMeta: metav1.ObjectMeta{Name: tc.name}, Spec: defaulted(spec())}
		tc.mutate(&wp.Spec)
		got, err := Definitions{containing{found: tc.found}}.Defines(wp)
		if err != nil || got != tc.want {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	if got, err := (Definitions{containing{found, errors.New("away")}}).Defines(&pluginsv1alpha1.WasmPlugin{}); err == nil || got {
		t.Errorf("a directory that cannot be read defines something: %v, %v", got, err)
	}
}
