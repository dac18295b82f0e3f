// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

func file(path string) pluginsv1alpha1.Source {
	return pluginsv1alpha1.Source{File: &pluginsv1alpha1.FileSource{Path: path}}
}

func forTypes(kinds ...string) []pluginsv1alpha1.ForType {
	var out []pluginsv1alpha1.ForType
	for _, kind := range kinds {
		out = append(out, pluginsv1alpha1.ForType{TypeReference: pluginsv1alpha1.TypeReference{
			APIVersion: "inventory.example.com/v1alpha1", Kind: kind,
		}})
	}
	return out
}

var seedSecurity = pluginsv1alpha1.Security{
	AllowedResources:      []string{"items", "events"},
	AllowedVerbs:          []pluginsv1alpha1.Verb{"get", "list", "create"},
	AllowedNamespaces:     []string{"default", "inventory"},
	MaxConcurrentRequests: 10,
}

// TestDiscover_specification reads exactly the file of the specification.
func TestDiscover_specification(t *testing.T) {
	t.Parallel()
	p := newPlugins(t)
	p.write("wasm-plugins.yaml", seedPlugins)
	for _, module := range []string{"item-validator.wasm", "category-hierarchy.wasm", "external-sync.wasm"} {
		p.write(module, "module")
	}
	want := Found{
		Definitions: []Definition{
			{
				Name: "item-validator", Language: "rust", Places: []Place{{"wasm-plugins.yaml", 3}},
				Spec: pluginsv1alpha1.WasmPluginSpec{
					Source: file("item-validator.wasm"), ForTypes: forTypes("Item"),
					Capabilities: []pluginsv1alpha1.Capability{"validation", "defaulting"},
					Settings:     &runtime.RawExtension{Raw: []byte(`{"default_category":"uncategorized","validation_level":"strict"}`)},
				},
			},
			{
				Name: "category-hierarchy", Language: "tinygo", Places: []Place{{"wasm-plugins.yaml", 16}},
				Spec: pluginsv1alpha1.WasmPluginSpec{
					Source: file("category-hierarchy.wasm"), ForTypes: forTypes("Category"),
					Capabilities: []pluginsv1alpha1.Capability{"reconcile", "status_update"},
					Settings:     &runtime.RawExtension{Raw: []byte(`{"auto_create_parents":true,"max_depth":10}`)},
				},
			},
			{
				Name: "external-inventory-sync", Language: "assemblyscript", Places: []Place{{"wasm-plugins.yaml", 29}},
				Spec: pluginsv1alpha1.WasmPluginSpec{
					Source: file("external-sync.wasm"), ForTypes: forTypes("Item", "Category"),
					Capabilities: []pluginsv1alpha1.Capability{"reconcile"},
					Settings: &runtime.RawExtension{Raw: []byte(
						`{"batch_size":100,"endpoint":"https://external-inventory.example.com/api","sync_interval":"5m"}`)},
					Runtime: pluginsv1alpha1.Runtime{MemoryPages: 16, MaxMemoryPages: 64},
				},
			},
		},
	}
	if diff := cmp.Diff(want, p.discover()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDiscover_specification_pluginFile(t *testing.T) {
	t.Parallel()
	p := newPlugins(t)
	p.write("item-validator-plugin.yaml", seedPlugin)
	p.write("item-validator.wasm", "module")
	want := Found{Definitions: []Definition{{
		Name: "item-validator", Version: "v1.0.0", Places: []Place{{"item-validator-plugin.yaml", 2}},
		Spec: pluginsv1alpha1.WasmPluginSpec{Source: file("item-validator.wasm"), Security: seedSecurity},
	}}}
	if diff := cmp.Diff(want, p.discover()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestDiscover_joined describes one plugin in both formats: the kinds are in one file, the permissions in the other.
func TestDiscover_joined(t *testing.T) {
	t.Parallel()
	p := newPlugins(t)
	p.write("item-validator-plugin.yaml", seedPlugin)
	p.write("item-validator.wasm", "module")
	first, _, _ := strings.Cut(seedPlugins, `  - name: "category`)
	p.write("wasm-plugins.yaml", first)
	want := Found{Definitions: []Definition{{
		Name: "item-validator", Version: "v1.0.0", Language: "rust",
		Places: []Place{{"wasm-plugins.yaml", 3}, {"item-validator-plugin.yaml", 2}},
		Spec: pluginsv1alpha1.WasmPluginSpec{
			Source: file("item-validator.wasm"), ForTypes: forTypes("Item"), Security: seedSecurity,
			Capabilities: []pluginsv1alpha1.Capability{"validation", "defaulting"},
			Settings:     &runtime.RawExtension{Raw: []byte(`{"default_category":"uncategorized","validation_level":"strict"}`)},
		},
	}}}
	if diff := cmp.Diff(want, p.discover()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestDiscover_accounts checks that both files can name the ServiceAccount, and that the file with the permissions
// takes precedence.
func TestDiscover_accounts(t *testing.T) {
	t.Parallel()
	entry := "plugins: [{name: a, path: a.wasm, config: {service_account_name: ours}}]\n"
	for name, tc := range map[string]struct{ pluginFile, want string }{
		"one":     {"name: a\npath: a.wasm\n", "ours"},
		"both":    {"name: a\npath: a.wasm\nserviceAccountName: theirs\n", "theirs"},
		"neither": {"", "ours"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlugins(t)
			p.write("wasm-plugins.yaml", entry)
			if tc.pluginFile != "" {
				p.write("a-plugin.yaml", tc.pluginFile)
			}
			found := p.discover()
			if len(found.Problems) > 0 || len(found.Definitions) != 1 || found.Definitions[0].Spec.ServiceAccountName != tc.want {
				t.Errorf("got %+v, want the account %q", found, tc.want)
			}
		})
	}
}
