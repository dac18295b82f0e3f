// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// pluginFile is the format of *-plugin.yaml: one plugin and what it may do.
type pluginFile struct {
	Name     string `yaml:"name"`
	Type     string `yaml:"type"`
	Path     string `yaml:"path"`
	Version  string `yaml:"version"`
	Security *struct {
		AllowedResources      *[]string `yaml:"allowedResources"`
		AllowedVerbs          *[]string `yaml:"allowedVerbs"`
		AllowedNamespaces     *[]string `yaml:"allowedNamespaces"`
		MaxConcurrentRequests int32     `yaml:"maxConcurrentRequests"`
	} `yaml:"security"`
	ServiceAccountName string `yaml:"serviceAccountName"`
}

// pluginsFile is the format of wasm-plugins.yaml: several plugins and what they are for.
type pluginsFile struct {
	Plugins []struct {
		Name     string `yaml:"name"`
		Path     string `yaml:"path"`
		Language string `yaml:"language"`
		Config   struct {
			ForTypes           []string       `yaml:"for_types"`
			Capabilities       []string       `yaml:"capabilities"`
			Settings           map[string]any `yaml:"settings"`
			MemoryPages        int32          `yaml:"memory_pages"`
			MaxMemoryPages     int32          `yaml:"max_memory_pages"`
			ServiceAccountName string         `yaml:"service_account_name"`
		} `yaml:"config"`
	} `yaml:"plugins"`
}

// parsePluginFile reads a *-plugin.yaml.
func parsePluginFile(file string, text []byte) (Definition, error) {
	var f pluginFile
	lines, err := decodeStrict(text, &f)
	if err != nil {
		return Definition{}, err
	}
	if f.Type != "" && f.Type != "wasm" {
		return Definition{}, fmt.Errorf("line %d: type %q: only \"wasm\" is known", lines["type"], f.Type)
	}
	d := Definition{Name: f.Name, Version: f.Version, Places: []Place{{File: file, Line: lines["name"]}}}
	if d.Spec.Source, err = fileSource(f.Path); err != nil {
		return Definition{}, fmt.Errorf("line %d: %w", max(lines["path"], 1), err)
	}
	d.Spec.ServiceAccountName = f.ServiceAccountName
	if s := f.Security; s != nil {
		d.Spec.Security = pluginsv1alpha1.Security{
			AllowedResources:      deref(s.AllowedResources),
			AllowedNamespaces:     deref(s.AllowedNamespaces),
			MaxConcurrentRequests: s.MaxConcurrentRequests,
		}
		if s.AllowedVerbs != nil {
			d.Spec.Security.AllowedVerbs = []pluginsv1alpha1.Verb{}
			for _, v := range *s.AllowedVerbs {
				d.Spec.Security.AllowedVerbs = append(d.Spec.Security.AllowedVerbs, pluginsv1alpha1.Verb(v))
			}
		}
	}
	return d, nil
}

// parsePluginsFile reads a wasm-plugins.yaml.
func parsePluginsFile(file string, text []byte) ([]Definition, error) {
	var f pluginsFile
	lines, err := decodeStrict(text, &f)
	if err != nil {
		return nil, err
	}
	var out []Definition
	for i, p := range f.Plugins {
		at := func(key string) string { return fmt.Sprintf("plugins.%d.%s", i, key) }
		d := Definition{Name: p.Name, Language: p.Language, Places: []Place{{File: file, Line: max(lines[at("name")], lines[fmt.Sprintf("plugins.%d", i)])}}}
		if d.Spec.Source, err = fileSource(p.Path); err != nil {
			return nil, fmt.Errorf("line %d: %w", max(lines[at("path")], d.Places[0].Line), err)
		}
		for n, t := range p.Config.ForTypes {
			ref, err := parseForType(t)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", lines[at(fmt.Sprintf("config.for_types.%d", n))], err)
			}
			d.Spec.ForTypes = append(d.Spec.ForTypes, pluginsv1alpha1.ForType{TypeReference: ref})
		}
		for n, c := range p.Config.Capabilities {
			if !slices.Contains(plugin.Supported(), plugin.Capability(c)) {
				return nil, fmt.Errorf("line %d: capability %q: this operator serves %q",
					lines[at(fmt.Sprintf("config.capabilities.%d", n))], c, plugin.Supported())
			}
			d.Spec.Capabilities = append(d.Spec.Capabilities, plugin.Capability(c))
		}
		if p.Config.Settings != nil {
			raw, err := json.Marshal(p.Config.Settings)
			if err != nil {
				return nil, fmt.Errorf("line %d: settings: %w", lines[at("config.settings")], err)
			}
			d.Spec.Settings = &runtime.RawExtension{Raw: raw}
		}
		d.Spec.Runtime.MemoryPages = p.Config.MemoryPages
		d.Spec.Runtime.MaxMemoryPages = p.Config.MaxMemoryPages
		d.Spec.ServiceAccountName = p.Config.ServiceAccountName
		out = append(out, d)
	}
	return out, nil
}

// parseForType reads "group/version.Kind".
func parseForType(s string) (pluginsv1alpha1.TypeReference, error) {
	i := strings.LastIndexByte(s, '.')
	if i <= 0 || i == len(s)-1 {
		return pluginsv1alpha1.TypeReference{}, fmt.Errorf("for_types %q: want group/version.Kind, such as inventory.example.com/v1alpha1.Item", s)
	}
	if _, err := plugin.ParseType(s[:i], s[i+1:]); err != nil {
		return pluginsv1alpha1.TypeReference{}, fmt.Errorf("for_types %q: %w", s, err)
	}
	return pluginsv1alpha1.TypeReference{APIVersion: s[:i], Kind: s[i+1:]}, nil
}

// fileSource reads a path. Files are written both relative to the directory ("./x.wasm") and relative
// to the folder that it is in ("./plugins/x.wasm"); discover settles which.
func fileSource(p string) (pluginsv1alpha1.Source, error) {
	if p == "" {
		return pluginsv1alpha1.Source{}, fmt.Errorf("path is missing")
	}
	clean := path.Clean(strings.ReplaceAll(p, `\`, "/"))
	if path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../") {
		return pluginsv1alpha1.Source{}, fmt.Errorf("path %q leaves the plugin directory", p)
	}
	return pluginsv1alpha1.Source{File: &pluginsv1alpha1.FileSource{Path: clean}}, nil
}

func deref(s *[]string) []string {
	if s == nil {
		return nil
	}
	return append([]string{}, *s...)
}
