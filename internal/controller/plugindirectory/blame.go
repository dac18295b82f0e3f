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

// byPlugin says which plugins the problems are shown on: one problem for each, with its name.
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

// concerned returns the plugins that a problem is shown on: the one it names, and where that does not
// say it all, those that the file defined before and does not define any more. If that is nobody, it
// is one named after the file.
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

// from reports whether a WasmPlugin was made of a file.
func from(wp *pluginsv1alpha1.WasmPlugin, file string) bool {
	return slices.Contains(strings.Split(wp.Annotations[annotationFile], ","), file)
}

// defines reports whether a file defines a plugin now.
func defines(found directory.Found, file, name string) bool {
	return slices.ContainsFunc(found.Definitions, func(d directory.Definition) bool {
		return d.Name == name && slices.ContainsFunc(d.Places, func(p directory.Place) bool { return p.File == file })
	})
}

// blame says on a WasmPlugin what is wrong with its file. What it was stays, so that it goes on serving.
func blame(wp *pluginsv1alpha1.WasmPlugin, p directory.Problem) {
	wp.Annotations[pluginsv1alpha1.AnnotationDirectoryReason] = p.Reason
	wp.Annotations[pluginsv1alpha1.AnnotationDirectoryMessage] = conditions.Truncate(p.Message)
	if wp.Spec.Source.File == nil { // it is new, and there to be seen
		wp.Spec = defaulted(pluginsv1alpha1.WasmPluginSpec{
			Source: pluginsv1alpha1.Source{File: &pluginsv1alpha1.FileSource{Path: p.File}},
		})
		wp.Annotations[annotationFile] = p.File
	}
}

// maxName is what a WasmPlugin's name may have, in characters.
const maxName = 60

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// nameOf makes a plugin's name of a file's. That of a module keeps its ending: its plain name may well
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
