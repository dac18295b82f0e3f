// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"cmp"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// pluginFile is the format of *-plugin.yaml: one plugin and its permissions.
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

// parsePluginFile parses a *-plugin.yaml.
func parsePluginFile(file string, content []byte) (parsed, error) {
	var f pluginFile
	doc, err := decodeStrict(content, &f)
	if err != nil {
		return parsed{}, err
	}
	d := Definition{Name: cmp.Or(f.Name, doc.text("name")), Version: f.Version, Places: []Place{{File: file, Line: max(doc.line("name"), 1)}}}
	if len(doc.mistakes) > 0 {
		return parsed{problems: []Problem{problemOf(d, doc.mistakes)}}, nil
	}
	var wrong []mistake
	add := func(m *mistake) {
		if m != nil {
			wrong = append(wrong, *m)
		}
	}
	add(checkName(d))
	if f.Type != "" && f.Type != "wasm" {
		add(mistakef(doc.line("type"), `type %q: only "wasm" is known`, f.Type))
	}
	var m *mistake
	d.Spec.Source, m = fileSource(f.Path, max(doc.line("path"), 1))
	add(m)
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
	if len(wrong) > 0 {
		return parsed{problems: []Problem{problemOf(d, wrong)}}, nil
	}
	return parsed{definitions: []Definition{d}}, nil
}

// deref returns the list, and preserves the difference between a missing and an empty list.
func deref(s *[]string) []string {
	if s == nil {
		return nil
	}
	return append([]string{}, *s...)
}
