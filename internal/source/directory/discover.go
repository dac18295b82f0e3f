// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// The names of the files that are read.
const (
	suffixModule  = ".wasm"
	suffixPlugin  = "-plugin.yaml"
	filePlugins   = "wasm-plugins.yaml"
	maxConfigFile = 1 << 20
)

// Discover reads the directory. A directory that does not exist is treated as empty. Invalid files and entries become a
// Problem and do not prevent others from loading.
func (s *Source) Discover() (Found, error) {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return Found{}, nil
	}
	if err != nil {
		return Found{}, fmt.Errorf("read the plugin directory: %w", err)
	}
	d := discovery{source: s, base: filepath.Base(filepath.Clean(s.dir))}
	for _, e := range entries { // ReadDir sorts, so the result is always the same
		switch name := e.Name(); {
		case strings.HasPrefix(name, "."):
		case name == filePlugins:
			d.config(name, parsePluginsFile)
		case strings.HasSuffix(name, suffixPlugin):
			d.config(name, parsePluginFile)
		case strings.HasSuffix(name, suffixModule):
			d.modules = append(d.modules, name)
		}
	}
	if !d.found.Incomplete {
		d.addModules()
	}
	d.resolveNames()
	return d.found, nil
}

// discovery collects definitions before their names are resolved.
type discovery struct {
	source  *Source
	base    string
	modules []string
	defined []Definition
	// doubtful are the texts of files with problems. A module that such a text mentions may be described there, and
	// must not become a plugin without the limits in that description.
	doubtful [][]byte
	found    Found
}

// config reads a file that describes plugins.
func (d *discovery) config(name string, parse func(file string, text []byte) (parsed, error)) {
	text, err := (&Source{dir: d.source.dir, maxBytes: maxConfigFile}).read(name)
	if err == nil && len(text) > maxConfigFile {
		err = fmt.Errorf("larger than %d bytes", maxConfigFile)
	}
	var p parsed
	if err == nil {
		p, err = parse(name, text)
	}
	if err != nil {
		d.found.Incomplete = true
		d.found.Problems = append(d.found.Problems, Problem{
			Name: nameIn(name, text), File: name, Whole: true, Reason: pluginsv1alpha1.ReasonInvalidPluginFile,
			Message: fmt.Sprintf("%s: %v; the plugins that this file defined before go on as they were", name, err),
		})
		return
	}
	for i := range p.definitions {
		d.settlePath(p.definitions[i].Spec.Source.File)
	}
	if len(p.problems) > 0 {
		d.doubtful = append(d.doubtful, text)
	}
	d.defined = append(d.defined, p.definitions...)
	d.found.Problems = append(d.found.Problems, p.problems...)
}

var nameLine = regexp.MustCompile(`(?m)^["']?name["']?[ \t]*:[ \t]*["']?([-a-z0-9]+)`)

// nameIn returns the name of the plugin in a *-plugin.yaml that is not valid YAML, or "" if it cannot be found.
func nameIn(file string, text []byte) string {
	m := nameLine.FindSubmatch(text)
	if file == filePlugins || m == nil || len(nameProblems(string(m[1]))) > 0 {
		return ""
	}
	return string(m[1])
}

// settlePath removes the prefix "plugins/" from a path that is relative to the parent folder.
func (d *discovery) settlePath(f *pluginsv1alpha1.FileSource) {
	rest, ok := strings.CutPrefix(f.Path, d.base+"/")
	if !ok {
		return
	}
	if _, err := os.Stat(filepath.Join(d.source.dir, filepath.FromSlash(f.Path))); err != nil {
		f.Path = rest
	}
}

// addModules defines a plugin for every module that no file describes, named after the module's file.
func (d *discovery) addModules() {
	for _, module := range d.modules {
		if d.described(module) {
			continue
		}
		def := Definition{
			Name:   strings.TrimSuffix(module, suffixModule),
			Places: []Place{{File: module}},
			Spec:   pluginsv1alpha1.WasmPluginSpec{Source: pluginsv1alpha1.Source{File: &pluginsv1alpha1.FileSource{Path: module}}},
		}
		problem := Problem{Name: def.Name, File: module, Reason: pluginsv1alpha1.ReasonInvalidPluginFile}
		if problems := nameProblems(def.Name); len(problems) > 0 {
			problem.Name = ""
			problem.Message = fmt.Sprintf("%s: the file's name makes no plugin name: %s: rename it, or describe it in a *%s", module, problems[0], suffixPlugin)
		} else if err := d.source.checkFile(module); err != nil {
			problem.Message = fmt.Sprintf("%s: %v", module, err)
		}
		if problem.Message != "" {
			d.found.Problems = append(d.found.Problems, problem)
			continue
		}
		d.defined = append(d.defined, def)
	}
}

// described reports whether a file describes a module, or possibly does.
func (d *discovery) described(module string) bool {
	for _, def := range d.defined {
		if def.Spec.Source.File.Path == module {
			return true
		}
	}
	for _, text := range d.doubtful {
		if bytes.Contains(text, []byte(module)) {
			return true
		}
	}
	return false
}
