// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// The names of the files that count.
const (
	suffixModule  = ".wasm"
	suffixPlugin  = "-plugin.yaml"
	filePlugins   = "wasm-plugins.yaml"
	maxConfigFile = 1 << 20
)

// Discover reads a directory. A directory that does not exist holds nothing. What cannot be used is
// a Problem, and keeps nothing else from loading.
func (s *Source) Discover() (Found, error) {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return Found{}, nil
	}
	if err != nil {
		return Found{}, fmt.Errorf("read the plugin directory: %w", err)
	}
	d := discovery{source: s, base: filepath.Base(filepath.Clean(s.dir))}
	for _, e := range entries { // ReadDir sorts, so that the result is always the same
		switch name := e.Name(); {
		case strings.HasPrefix(name, "."):
		case name == filePlugins:
			d.config(name, func(text []byte) ([]Definition, error) { return parsePluginsFile(name, text) })
		case strings.HasSuffix(name, suffixPlugin):
			d.config(name, func(text []byte) ([]Definition, error) {
				one, err := parsePluginFile(name, text)
				return []Definition{one}, err
			})
		case strings.HasSuffix(name, suffixModule):
			d.modules = append(d.modules, name)
		}
	}
	d.addModules()
	d.resolveNames()
	return d.found, nil
}

// discovery gathers definitions before their names are settled.
type discovery struct {
	source  *Source
	base    string
	modules []string
	defined []Definition
	found   Found
}

// config reads a file that describes plugins.
func (d *discovery) config(name string, parse func([]byte) ([]Definition, error)) {
	text, err := (&Source{dir: d.source.dir, maxBytes: maxConfigFile}).read(name)
	var defs []Definition
	if err == nil && len(text) > maxConfigFile {
		err = fmt.Errorf("larger than %d bytes", maxConfigFile)
	}
	if err == nil {
		defs, err = parse(text)
	}
	for i := range defs {
		if err == nil {
			err = checkName(defs[i])
		}
		if err == nil {
			d.settlePath(defs[i].Spec.Source.File)
		}
	}
	if err != nil {
		d.found.Problems = append(d.found.Problems, Problem{
			File: name, Reason: pluginsv1alpha1.ReasonInvalidPluginFile,
			Message: fmt.Sprintf("%s: %v; the plugins that this file defined before go on as they were", name, err),
		})
		return
	}
	d.defined = append(d.defined, defs...)
}

func checkName(d Definition) error {
	if d.Name == "" {
		return fmt.Errorf("line %d: name is missing", max(d.Places[0].Line, 1))
	}
	if problems := validation.IsDNS1123Label(d.Name); len(problems) > 0 {
		return fmt.Errorf("line %d: name %q: %s", d.Places[0].Line, d.Name, problems[0])
	}
	return nil
}

// settlePath takes "plugins/" off a path that is written from the folder above.
func (d *discovery) settlePath(f *pluginsv1alpha1.FileSource) {
	rest, ok := strings.CutPrefix(f.Path, d.base+"/")
	if !ok {
		return
	}
	if _, err := os.Stat(filepath.Join(d.source.dir, filepath.FromSlash(f.Path))); err != nil {
		f.Path = rest
	}
}

// addModules makes a plugin of every module that no file describes, named after the file.
func (d *discovery) addModules() {
	for _, module := range d.modules {
		described := slices.ContainsFunc(d.defined, func(def Definition) bool { return def.Spec.Source.File.Path == module })
		if described {
			continue
		}
		def := Definition{
			Name:   strings.TrimSuffix(module, suffixModule),
			Places: []Place{{File: module}},
			Spec:   pluginsv1alpha1.WasmPluginSpec{Source: pluginsv1alpha1.Source{File: &pluginsv1alpha1.FileSource{Path: module}}},
		}
		if problems := validation.IsDNS1123Label(def.Name); len(problems) > 0 {
			d.found.Problems = append(d.found.Problems, Problem{
				File: module, Reason: pluginsv1alpha1.ReasonInvalidPluginFile,
				Message: fmt.Sprintf("%s: the file's name makes no plugin name: %s: rename it, or describe it in a *%s", module, problems[0], suffixPlugin),
			})
			continue
		}
		d.defined = append(d.defined, def)
	}
}

// resolveNames joins the two halves of a plugin that both formats describe, and refuses other
// definitions of one name.
func (d *discovery) resolveNames() {
	byName := map[string][]Definition{}
	var names []string
	for _, def := range d.defined {
		if byName[def.Name] == nil {
			names = append(names, def.Name)
		}
		byName[def.Name] = append(byName[def.Name], def)
	}
	for _, name := range names {
		defs := byName[name]
		if joined, ok := join(defs); ok {
			d.found.Definitions = append(d.found.Definitions, joined)
			continue
		}
		places := make([]string, len(defs))
		for i, def := range defs {
			places[i] = def.Places[0].String()
		}
		d.found.Problems = append(d.found.Problems, Problem{
			Name: name, Reason: pluginsv1alpha1.ReasonDuplicateName,
			Message: fmt.Sprintf("plugin %q is defined %d times: %s; remove or rename all but one", name, len(defs), strings.Join(places, " and ")),
		})
	}
}

// join makes one definition of one, or of a wasm-plugins.yaml entry and a *-plugin.yaml for the same module.
func join(defs []Definition) (Definition, bool) {
	switch {
	case len(defs) == 1:
		return defs[0], true
	case len(defs) != 2 || *defs[0].Spec.Source.File != *defs[1].Spec.Source.File:
		return Definition{}, false
	}
	use, may := defs[0], defs[1]
	if use.Places[0].File != filePlugins {
		use, may = may, use
	}
	if use.Places[0].File != filePlugins || may.Places[0].File == filePlugins {
		return Definition{}, false
	}
	use.Spec.Security = may.Spec.Security
	use.Version = may.Version
	use.Spec.ServiceAccountName = cmp.Or(may.Spec.ServiceAccountName, use.Spec.ServiceAccountName)
	use.Places = append(slices.Clone(use.Places), may.Places...)
	return use, true
}
