// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// pluginsFile is the format of wasm-plugins.yaml: several plugins and what they are for.
type pluginsFile struct {
	Plugins []pluginsEntry `yaml:"plugins"`
}

type pluginsEntry struct {
	Name     string        `yaml:"name"`
	Path     string        `yaml:"path"`
	Language string        `yaml:"language"`
	Config   entriesConfig `yaml:"config"`
}

type entriesConfig struct {
	ForTypes           []string       `yaml:"for_types"`
	Capabilities       []string       `yaml:"capabilities"`
	Settings           map[string]any `yaml:"settings"`
	MemoryPages        int32          `yaml:"memory_pages"`
	MaxMemoryPages     int32          `yaml:"max_memory_pages"`
	ServiceAccountName string         `yaml:"service_account_name"`
}

// parsePluginsFile reads a wasm-plugins.yaml. An entry that cannot be used is a problem of its own.
func parsePluginsFile(file string, content []byte) (parsed, error) {
	var f pluginsFile
	doc, err := decodeStrict(content, &f)
	if err != nil {
		return parsed{}, err
	}
	// The decoder leaves entries out that it cannot read, so they are read one by one: every one counts.
	entries := doc.elements("plugins")
	wrong, rest := perEntry(doc, len(entries))
	if len(rest) > 0 { // outside of every entry, so nobody knows what was meant
		return parsed{}, errors.New(describe("", rest))
	}
	var out parsed
	for i, node := range entries {
		var entry pluginsEntry
		_ = node.Decode(&entry) // what is wrong with it is among the mistakes already
		entry.Name = cmp.Or(entry.Name, text(node, "name"))
		d, mistakes := entry.definition(file, i, doc)
		if len(wrong[i]) > 0 {
			mistakes = wrong[i] // what could not be read is not to be called missing as well
		}
		if len(mistakes) > 0 {
			out.problems = append(out.problems, problemOf(d, mistakes))
			continue
		}
		out.definitions = append(out.definitions, d)
	}
	return out, nil
}

// perEntry sorts mistakes by the entries that they are in. The second result are those in none.
func perEntry(doc document, entries int) (map[int][]mistake, []mistake) {
	byEntry := map[int][]mistake{}
	var rest []mistake
	for _, m := range doc.mistakes {
		found := false
		for i := range entries {
			if s, ok := doc.spans[join("plugins", i)]; ok && s.first <= m.line && m.line <= s.last {
				byEntry[i] = append(byEntry[i], m) // several, if they share a line
				found = true
			}
		}
		if !found {
			rest = append(rest, m)
		}
	}
	return byEntry, rest
}

// definition turns the entry of an index into a definition, with what is wrong about it.
func (p pluginsEntry) definition(file string, index int, doc document) (Definition, []mistake) {
	line := func(path ...any) int {
		return max(doc.line(append([]any{"plugins", index}, path...)...), doc.line("plugins", index), 1)
	}
	d := Definition{Name: p.Name, Language: p.Language, Places: []Place{{File: file, Line: line("name")}}}
	var wrong []mistake
	add := func(m *mistake) {
		if m != nil {
			wrong = append(wrong, *m)
		}
	}
	add(checkName(d))
	var m *mistake
	d.Spec.Source, m = fileSource(p.Path, line("path"))
	add(m)
	for n, t := range p.Config.ForTypes {
		ref, err := parseForType(t)
		if err != nil {
			add(mistakef(line("config", "for_types", n), "%v", err))
		}
		d.Spec.ForTypes = append(d.Spec.ForTypes, pluginsv1alpha1.ForType{TypeReference: ref})
	}
	for n, c := range p.Config.Capabilities {
		if !slices.Contains(plugin.Supported(), plugin.Capability(c)) {
			add(mistakef(line("config", "capabilities", n), "capability %q: this operator serves %q", c, plugin.Supported()))
		}
		d.Spec.Capabilities = append(d.Spec.Capabilities, plugin.Capability(c))
	}
	if p.Config.Settings != nil {
		raw, err := json.Marshal(p.Config.Settings)
		if err != nil {
			add(mistakef(line("config", "settings"), "settings: %v", err))
		}
		d.Spec.Settings = &runtime.RawExtension{Raw: raw}
	}
	d.Spec.Runtime.MemoryPages = p.Config.MemoryPages
	d.Spec.Runtime.MaxMemoryPages = p.Config.MaxMemoryPages
	d.Spec.ServiceAccountName = p.Config.ServiceAccountName
	return d, wrong
}

// describe lists mistakes; with a file, each as compilers do.
func describe(file string, wrong []mistake) string {
	const most = 5
	out := ""
	for i, m := range wrong {
		if i == most {
			return out + fmt.Sprintf("; and %d more", len(wrong)-most)
		}
		if i > 0 {
			out += "; "
		}
		if file == "" {
			out += fmt.Sprintf("line %d: %s", m.line, m.text)
		} else {
			out += fmt.Sprintf("%s: %s", Place{File: file, Line: m.line}, m.text)
		}
	}
	return out
}
