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

// pluginsFile is the format of wasm-plugins.yaml: several plugins and the kinds that they handle.
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

// parsePluginsFile parses a wasm-plugins.yaml. Each invalid entry is a separate Problem.
func parsePluginsFile(file string, content []byte) (parsed, error) {
	var f pluginsFile
	doc, err := decodeStrict(content, &f)
	if err != nil {
		return parsed{}, err
	}
	// The decoder drops entries that it cannot decode. Decode them one by one, so that the indices stay correct.
	entries := doc.elements("plugins")
	wrong, rest := perEntry(doc, len(entries))
	if len(rest) > 0 { // it is in no entry, so its meaning is unknown
		return parsed{}, errors.New(describe("", rest))
	}
	var out parsed
	for i, node := range entries {
		var entry pluginsEntry
		_ = node.Decode(&entry) // the mistakes already include what is wrong with it
		entry.Name = cmp.Or(entry.Name, text(node, "name"))
		d, mistakes := entry.definition(file, i, doc)
		if len(wrong[i]) > 0 {
			mistakes = wrong[i] // do not report as missing what could not be decoded
		}
		if len(mistakes) > 0 {
			out.problems = append(out.problems, problemOf(d, mistakes))
			continue
		}
		out.definitions = append(out.definitions, d)
	}
	return out, nil
}

// perEntry groups mistakes by the entries that contain them. The second result are the mistakes that are in no entry.
func perEntry(doc document, entries int) (map[int][]mistake, []mistake) {
	byEntry := map[int][]mistake{}
	var rest []mistake
	for _, m := range doc.mistakes {
		found := false
		for i := range entries {
			if s, ok := doc.spans[join("plugins", i)]; ok && s.first <= m.line && m.line <= s.last {
				byEntry[i] = append(byEntry[i], m) // in several entries, if they share a line
				found = true
			}
		}
		if !found {
			rest = append(rest, m)
		}
	}
	return byEntry, rest
}

// definition converts the entry at an index to a definition, and returns its mistakes.
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

// describe lists mistakes. If file is set, each is prefixed with the file and the line, as compilers do.
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
