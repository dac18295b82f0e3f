// SPDX-License-Identifier: Apache-2.0

package plugindirectory

import (
	"regexp"
	"slices"
	"strings"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/conditions"
	"github.com/k1s-io/k1s/internal/source/directory"
)

// byPlugin returns one problem for each plugin that shows problems, with the plugin's name.
func byPlugin(found directory.Found, existing []pluginsv1alpha1.WasmPlugin) []directory.Problem {
	var out []directory.Problem
	for _, p := range found.Problems {
		for _, name := range concerned(p, found, existing) {
			if i := slices.IndexFunc(out, func(o directory.Problem) bool { return o.Name == name }); i >= 0 {
				out[i].Message += "; " + p.Message
				continue
			}
			p.Name = name
			out = append(out, p)
		}
	}
	return out
}

// concerned returns the plugins that show a problem: the one that it names and, if it concerns the whole file or names
// no plugin, those that the file defined before and does not define any more. If there are none, it returns a name
// derived from the file's name.
func concerned(p directory.Problem, found directory.Found, existing []pluginsv1alpha1.WasmPlugin) []string {
	var names []string
	if p.Name != "" {
		names = append(names, p.Name)
	}
	for i := range existing {
		wp := &existing[i]
		if (p.Whole || p.Name == "") && ours(wp) && from(wp, p.File) && !defines(found, p.File, wp.Name) && !slices.Contains(names, wp.Name) {
			names = append(names, wp.Name)
		}
	}
	if len(names) == 0 {
		names = []string{nameOf(p.File)}
	}
	return names
}

// from reports whether a WasmPlugin was created from a file.
func from(wp *pluginsv1alpha1.WasmPlugin, file string) bool {
	return slices.Contains(strings.Split(wp.Annotations[annotationFile], ","), file)
}

// defines reports whether a file defines a plugin now.
func defines(found directory.Found, file, name string) bool {
	return slices.ContainsFunc(found.Definitions, func(d directory.Definition) bool {
		return d.Name == name && slices.ContainsFunc(d.Places, func(p directory.Place) bool { return p.File == file })
	})
}

// withProblem records on a WasmPlugin the problem with its file. The spec of an existing WasmPlugin stays, so that it keeps
// serving.
func withProblem(wp *pluginsv1alpha1.WasmPlugin, p directory.Problem) {
	wp.Annotations[pluginsv1alpha1.AnnotationDirectoryReason] = p.Reason
	wp.Annotations[pluginsv1alpha1.AnnotationDirectoryMessage] = conditions.Truncate(p.Message)
	if wp.Spec.Source.File == nil { // the WasmPlugin is new, and exists to show the problem
		wp.Spec = defaulted(pluginsv1alpha1.WasmPluginSpec{
			Source: pluginsv1alpha1.Source{File: &pluginsv1alpha1.FileSource{Path: p.File}},
		})
		wp.Annotations[annotationFile] = p.File
	}
}

// maxName is the limit for a WasmPlugin's name, in characters.
const maxName = 60

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// nameOf derives a plugin's name from a file's name. The name for a module keeps the file's ending: without it, it may
// be the name of a plugin that is described properly.
func nameOf(file string) string {
	name := strings.TrimSuffix(strings.ToLower(file), ".yaml")
	name = strings.Trim(notInNames.ReplaceAllString(strings.TrimSuffix(name, "-plugin"), "-"), "-")
	if len(name) > maxName {
		name = strings.TrimRight(name[:maxName], "-")
	}
	if name == "" {
		return "unnamed"
	}
	return name
}
