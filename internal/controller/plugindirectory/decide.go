// SPDX-License-Identifier: Apache-2.0

package plugindirectory

import (
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/source/directory"
)

// Annotations that tell where a WasmPlugin came from.
const (
	annotationFile     = "plugins.k1s.io/directory-file"
	annotationVersion  = "plugins.k1s.io/directory-version"
	annotationLanguage = "plugins.k1s.io/directory-language"
)

// kind is what is done to a WasmPlugin.
type kind int

const (
	create kind = iota
	update
	remove
	// foreign means that nothing is done, as somebody else made the WasmPlugin.
	foreign
)

// String names what is done.
func (k kind) String() string { return [...]string{"create", "update", "delete", "leave"}[k] }

// change is one step from what is there to what the directory says.
type change struct {
	kind   kind
	plugin *pluginsv1alpha1.WasmPlugin
	file   string
}

// decide compares. It is pure: the same input gives the same changes, in the same order.
func decide(found directory.Found, existing []pluginsv1alpha1.WasmPlugin, namespace string) []change {
	byName := map[string]*pluginsv1alpha1.WasmPlugin{}
	for i := range existing {
		byName[existing[i].Name] = &existing[i]
	}
	var changes []change
	kept := map[string]bool{}
	want := func(name, file string, mutate func(*pluginsv1alpha1.WasmPlugin)) {
		kept[name] = true
		if c, ok := toward(byName[name], name, namespace, file, mutate); ok {
			changes = append(changes, c)
		}
	}
	for _, def := range found.Definitions {
		want(def.Name, def.Places[0].File, func(wp *pluginsv1alpha1.WasmPlugin) { define(wp, def) })
	}
	for _, problem := range found.Problems {
		for _, name := range concerned(problem, existing) {
			want(name, problem.File, func(wp *pluginsv1alpha1.WasmPlugin) { blame(wp, problem) })
		}
	}
	for i := range existing {
		if wp := &existing[i]; ours(wp) && !kept[wp.Name] {
			changes = append(changes, change{kind: remove, plugin: wp, file: wp.Annotations[annotationFile]})
		}
	}
	return changes
}

func ours(wp *pluginsv1alpha1.WasmPlugin) bool {
	return wp.Labels[pluginsv1alpha1.LabelDirectory] != ""
}

// toward returns what brings one WasmPlugin to what mutate makes of it, if anything has to be done.
func toward(current *pluginsv1alpha1.WasmPlugin, name, namespace, file string, mutate func(*pluginsv1alpha1.WasmPlugin)) (change, bool) {
	if current == nil {
		next := &pluginsv1alpha1.WasmPlugin{ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: namespace,
			Labels:      map[string]string{pluginsv1alpha1.LabelDirectory: "true"},
			Annotations: map[string]string{},
		}}
		mutate(next)
		return change{kind: create, plugin: next, file: file}, true
	}
	if !ours(current) {
		return change{kind: foreign, plugin: current, file: file}, true
	}
	next := current.DeepCopy()
	if next.Annotations == nil {
		next.Annotations = map[string]string{}
	}
	mutate(next)
	if equality.Semantic.DeepEqual(current, next) {
		return change{}, false
	}
	return change{kind: update, plugin: next, file: file}, true
}

// define makes a WasmPlugin of a definition.
func define(wp *pluginsv1alpha1.WasmPlugin, def directory.Definition) {
	wp.Spec = defaulted(def.Spec)
	delete(wp.Annotations, pluginsv1alpha1.AnnotationDirectoryReason)
	delete(wp.Annotations, pluginsv1alpha1.AnnotationDirectoryMessage)
	for key, value := range map[string]string{
		annotationFile: files(def), annotationVersion: def.Version, annotationLanguage: def.Language,
	} {
		if value == "" {
			delete(wp.Annotations, key)
		} else {
			wp.Annotations[key] = value
		}
	}
}

// defaulted fills in what the API server would, so that what it sends back compares as equal.
func defaulted(spec pluginsv1alpha1.WasmPluginSpec) pluginsv1alpha1.WasmPluginSpec {
	if spec.ServiceAccountName == "" {
		spec.ServiceAccountName = "default"
	}
	if !equality.Semantic.DeepEqual(spec.Security, pluginsv1alpha1.Security{}) && spec.Security.MaxConcurrentRequests == 0 {
		spec.Security.MaxConcurrentRequests = 10
	}
	if rt := &spec.Runtime; *rt != (pluginsv1alpha1.Runtime{}) {
		if rt.MaxMemoryPages == 0 {
			rt.MaxMemoryPages = 1024
		}
		rt.TimeoutSeconds, rt.MaxInstances, rt.IdleSeconds = 5, 4, new(int32(60))
	}
	return spec
}

func files(def directory.Definition) string {
	names := make([]string, len(def.Places))
	for i, p := range def.Places {
		names[i] = p.File
	}
	return strings.Join(names, ",")
}

// blame says on a WasmPlugin what is wrong with its file. What it was stays, so that it goes on serving.
func blame(wp *pluginsv1alpha1.WasmPlugin, p directory.Problem) {
	wp.Annotations[pluginsv1alpha1.AnnotationDirectoryReason] = p.Reason
	wp.Annotations[pluginsv1alpha1.AnnotationDirectoryMessage] = p.Message
	if wp.Spec.Source.File == nil { // it is new, and there to be seen
		file := p.File
		if file == "" {
			file = wp.Name
		}
		wp.Spec = defaulted(pluginsv1alpha1.WasmPluginSpec{
			Source: pluginsv1alpha1.Source{File: &pluginsv1alpha1.FileSource{Path: file}},
		})
		wp.Annotations[annotationFile] = p.File
	}
}

// concerned returns the plugins that a problem is shown on: the one it names, else those that the
// file defined before, else one named after the file.
func concerned(p directory.Problem, existing []pluginsv1alpha1.WasmPlugin) []string {
	if p.Name != "" {
		return []string{p.Name}
	}
	var names []string
	for i := range existing {
		wp := &existing[i]
		if ours(wp) && slices.Contains(strings.Split(wp.Annotations[annotationFile], ","), p.File) {
			names = append(names, wp.Name)
		}
	}
	if len(names) == 0 {
		names = []string{nameOf(p.File)}
	}
	return names
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// nameOf makes a plugin's name of a file's.
func nameOf(file string) string {
	name, _, _ := strings.Cut(strings.ToLower(file), ".")
	name = strings.Trim(notInNames.ReplaceAllString(strings.TrimSuffix(name, "-plugin"), "-"), "-")
	if len(name) > 63 {
		name = strings.TrimRight(name[:63], "-")
	}
	if name == "" {
		return "unnamed"
	}
	return name
}
