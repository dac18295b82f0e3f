// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"fmt"
	"path"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// parsed is the parsed content of a file.
type parsed struct {
	definitions []Definition
	problems    []Problem
}

// problemOf returns a Problem that lists the mistakes in a definition.
func problemOf(d Definition, wrong []mistake) Problem {
	p := Problem{
		File: d.Places[0].File, Reason: pluginsv1alpha1.ReasonInvalidPluginFile,
		Message: describe(d.Places[0].File, wrong) + "; until it is corrected, the plugin stays as it was",
	}
	if checkName(d) == nil {
		p.Name = d.Name
	}
	return p
}

// checkName returns a mistake unless the name is valid for a WasmPlugin.
func checkName(d Definition) *mistake {
	line := d.Places[0].Line
	if d.Name == "" {
		return mistakef(line, "name is missing")
	}
	if problems := nameProblems(d.Name); len(problems) > 0 {
		return mistakef(line, "name %q: %s", d.Name, problems[0])
	}
	return nil
}

// maxName is the maximum length of a WasmPlugin's name, in characters.
const maxName = 60

func nameProblems(name string) []string {
	if len(name) > maxName {
		return []string{fmt.Sprintf("must be no more than %d characters", maxName)}
	}
	return validation.IsDNS1123Label(name)
}

// parseForType parses "group/version.Kind".
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

// fileSource parses a path. A path may be relative to the directory ("./x.wasm") or to its parent folder
// ("./plugins/x.wasm"). settlePath finds out which.
func fileSource(p string, line int) (pluginsv1alpha1.Source, *mistake) {
	if p == "" {
		return pluginsv1alpha1.Source{}, mistakef(line, "path is missing")
	}
	clean := path.Clean(strings.ReplaceAll(p, `\`, "/"))
	switch {
	case path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../"):
		return pluginsv1alpha1.Source{}, mistakef(line, "path %q leaves the plugin directory", p)
	case clean == ".":
		return pluginsv1alpha1.Source{}, mistakef(line, "path %q names no file", p)
	}
	return pluginsv1alpha1.Source{File: &pluginsv1alpha1.FileSource{Path: clean}}, nil
}
