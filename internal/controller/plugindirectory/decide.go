// SPDX-License-Identifier: Apache-2.0

package plugindirectory

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/source/directory"
)

// Annotations that record where a WasmPlugin came from.
const (
	annotationFile     = "plugins.k1s.io/directory-file"
	annotationVersion  = "plugins.k1s.io/directory-version"
	annotationLanguage = "plugins.k1s.io/directory-language"
)

// kind is what a change does with a WasmPlugin.
type kind int

const (
	create kind = iota
	update
	remove
	// foreign means that nothing is done, because the WasmPlugin was not created from the directory.
	foreign
)

// String returns the name of the operation.
func (k kind) String() string { return [...]string{"create", "update", "delete", "leave"}[k] }

// change is one step from an existing WasmPlugin to what the directory defines.
type change struct {
	kind   kind
	plugin *pluginsv1alpha1.WasmPlugin
	file   string
}

// decide compares the directory with the existing WasmPlugins and returns the changes that are necessary. It is a pure
// function: the same input results in the same changes, in the same order, and at most one for each WasmPlugin.
func decide(found directory.Found, existing []pluginsv1alpha1.WasmPlugin, namespace string) []change {
	var changes []change
	kept := map[string]bool{}
	want := func(name, file string, mutate func(*pluginsv1alpha1.WasmPlugin)) {
		kept[name] = true
		if c, ok := toward(named(existing, name), name, namespace, file, mutate); ok {
			changes = append(changes, c)
		}
	}
	// A problem has precedence over a definition: the file that cannot be read may be the one that restricts the
	// plugin.
	for _, p := range byPlugin(found, existing) {
		want(p.Name, p.File, func(wp *pluginsv1alpha1.WasmPlugin) { withProblem(wp, p) })
	}
	for _, def := range found.Definitions {
		if !kept[def.Name] {
			want(def.Name, def.Places[0].File, func(wp *pluginsv1alpha1.WasmPlugin) { define(wp, def) })
		}
	}
	for i := range existing {
		wp := &existing[i]
		fromModule := strings.HasSuffix(wp.Annotations[annotationFile], ".wasm")
		if ours(wp) && !going(wp) && !kept[wp.Name] && !(found.Incomplete && fromModule) {
			changes = append(changes, change{kind: remove, plugin: wp, file: wp.Annotations[annotationFile]})
		}
	}
	return changes
}

func named(existing []pluginsv1alpha1.WasmPlugin, name string) *pluginsv1alpha1.WasmPlugin {
	for i := range existing {
		if existing[i].Name == name {
			return &existing[i]
		}
	}
	return nil
}

func ours(wp *pluginsv1alpha1.WasmPlugin) bool {
	return wp.Labels[pluginsv1alpha1.LabelDirectory] != ""
}

// going reports whether a WasmPlugin is being deleted, which takes until its finalizer is removed from all objects.
func going(wp *pluginsv1alpha1.WasmPlugin) bool { return !wp.DeletionTimestamp.IsZero() }

// toward returns the change that brings one WasmPlugin to the result of mutate, and whether there is one.
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
	if going(current) {
		return change{}, false // what is changed now would be deleted with it; the end of the deletion causes another reconcile
	}
	if !ours(current) {
		return change{kind: foreign, plugin: current, file: file}, true
	}
	next := current.DeepCopy()
	if next.Annotations == nil {
		next.Annotations = map[string]string{}
	}
	mutate(next)
	if same(current, next) {
		return change{}, false
	}
	return change{kind: update, plugin: next, file: file}, true
}

// define sets what a definition determines of a WasmPlugin.
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

func files(def directory.Definition) string {
	var names []string
	for _, p := range def.Places {
		if !slices.Contains(names, p.File) {
			names = append(names, p.File)
		}
	}
	return strings.Join(names, ",")
}
