// SPDX-License-Identifier: Apache-2.0

package plugindirectory

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/source/directory"
)

// definition returns a plugin as files define it.
func definition(name string, files ...string) directory.Definition {
	def := directory.Definition{Name: name, Spec: pluginsv1alpha1.WasmPluginSpec{
		Source: pluginsv1alpha1.Source{File: &pluginsv1alpha1.FileSource{Path: name + ".wasm"}},
	}}
	for _, f := range files {
		def.Places = append(def.Places, directory.Place{File: f, Line: 1})
	}
	return def
}

// made returns the WasmPlugin that was created from a definition.
func made(name string, files ...string) pluginsv1alpha1.WasmPlugin {
	wp := pluginsv1alpha1.WasmPlugin{ObjectMeta: metav1.ObjectMeta{
		Namespace: "home", Name: name, ResourceVersion: "7",
		Labels: map[string]string{pluginsv1alpha1.LabelDirectory: "true"}, Annotations: map[string]string{},
	}}
	define(&wp, definition(name, files...))
	return wp
}

// invalid returns such a WasmPlugin with a problem.
func invalid(message, name string, files ...string) pluginsv1alpha1.WasmPlugin {
	wp := made(name, files...)
	withProblem(&wp, directory.Problem{Reason: "InvalidPluginFile", Message: message})
	return wp
}

// theirs returns a WasmPlugin that was not created from the directory.
func theirs(name string) pluginsv1alpha1.WasmPlugin {
	wp := made(name)
	wp.Labels = nil
	return wp
}

func problem(message, name, file string, whole bool) directory.Problem {
	return directory.Problem{Name: name, File: file, Whole: whole, Reason: "InvalidPluginFile", Message: message}
}

// lines formats changes as "create a", "update a: what is wrong".
func lines(changes []change) []string {
	var out []string
	for _, c := range changes {
		line := fmt.Sprintf("%s %s", c.kind, c.plugin.Name)
		if m := c.plugin.Annotations[pluginsv1alpha1.AnnotationDirectoryMessage]; m != "" && c.kind != remove {
			line += ": " + m
		}
		out = append(out, line)
	}
	return out
}

func TestDecide(t *testing.T) {
	t.Parallel()
	type found = directory.Found
	type existing = []pluginsv1alpha1.WasmPlugin
	const all = "wasm-plugins.yaml"
	cases := []struct {
		name, why string
		found     found
		existing  existing
		want      []string
	}{
		{"nothing", "there is nothing to do", found{}, nil, nil},
		{"new", "", found{Definitions: []directory.Definition{definition("a", all), definition("b", all)}}, nil, []string{"create a", "create b"}},
		{"the same", "what is so already is not written", found{Definitions: []directory.Definition{definition("a", all)}}, existing{made("a", all)}, nil},
		{"another file", "where it is from changed", found{Definitions: []directory.Definition{definition("a", "a-plugin.yaml")}}, existing{made("a", all)}, []string{"update a"}},
		{"gone", "", found{}, existing{made("a", all)}, []string{"delete a"}},
		{"gone, somebody else's", "it is not ours to delete", found{}, existing{theirs("a")}, nil},
		{"somebody else's", "it is left alone, and reported in the log", found{Definitions: []directory.Definition{definition("a", all)}}, existing{theirs("a")}, []string{"leave a"}},
		{"problem, somebody else's", "even so", found{Problems: []directory.Problem{problem("bad", "a", all, false)}}, existing{theirs("a")}, []string{"leave a"}},
		{"problem with a new one", "it is there to be seen", found{Problems: []directory.Problem{problem("bad", "a", all, false)}}, nil, []string{"create a: bad"}},
		{"problem with an old one", "it stays what it was", found{Problems: []directory.Problem{problem("bad", "a", all, false)}}, existing{made("a", all)}, []string{"update a: bad"}},
		{"problem, told already", "", found{Problems: []directory.Problem{problem("bad", "a", all, false)}}, existing{invalid("bad", "a", all)}, nil},
		{"another problem", "", found{Problems: []directory.Problem{problem("worse", "a", all, false)}}, existing{invalid("bad", "a", all)}, []string{"update a: worse"}},
		{"fixed", "the problem no longer exists", found{Definitions: []directory.Definition{definition("a", all)}}, existing{invalid("bad", "a", all)}, []string{"update a"}},
		{
			"one bad entry", "the others of the file are not touched",
			found{Definitions: []directory.Definition{definition("b", all)}, Problems: []directory.Problem{problem("bad", "a", all, false)}},
			existing{made("a", all), made("b", all)},
			[]string{"update a: bad"},
		},
		{
			"whole file", "all that it defined before stay as they were",
			found{Problems: []directory.Problem{problem("bad", "", all, true)}, Incomplete: true},
			existing{made("a", all), made("b", all), made("c", "c-plugin.yaml"), made("d", "d.wasm")},
			[]string{"update a: bad", "update b: bad", "delete c"},
		},
		{"whole file, never read before", "it is shown on one named after it", found{Problems: []directory.Problem{problem("bad", "", all, true)}}, nil, []string{"create wasm-plugins: bad"}},
		{"plugin file, never read before", "its name is a good guess", found{Problems: []directory.Problem{problem("bad", "", "a-plugin.yaml", true)}}, nil, []string{"create a: bad"}},
		{
			"half of a plugin", "without the half that limits it, the plugin must not be defined",
			found{Definitions: []directory.Definition{definition("a", all)}, Problems: []directory.Problem{problem("bad", "a", "a-plugin.yaml", false)}},
			existing{made("a", all, "a-plugin.yaml")},
			[]string{"update a: bad"},
		},
		{
			"half of a plugin that cannot be read at all", "who it limited is known from before",
			found{Definitions: []directory.Definition{definition("a", all)}, Problems: []directory.Problem{problem("bad", "", "limits-plugin.yaml", true)}, Incomplete: true},
			existing{made("a", all, "limits-plugin.yaml")},
			[]string{"update a: bad"},
		},
		{
			"half of a new plugin that cannot be read at all", "its file is probably named after it",
			found{Definitions: []directory.Definition{definition("a", all)}, Problems: []directory.Problem{problem("bad", "", "a-plugin.yaml", true)}, Incomplete: true},
			nil, []string{"create a: bad"},
		},
		{
			"a wrong guess at the name", "what the file limited before counts as well",
			found{Definitions: []directory.Definition{definition("a", all)}, Problems: []directory.Problem{problem("bad", "half", "a-plugin.yaml", true)}, Incomplete: true},
			existing{made("a", all, "a-plugin.yaml")},
			[]string{"create half: bad", "update a: bad"},
		},
		{
			"an entry that lost its name", "the plugin it may have been stays",
			found{Definitions: []directory.Definition{definition("b", all)}, Problems: []directory.Problem{problem("bad", "", all, false)}},
			existing{made("a", all), made("b", all)},
			[]string{"update a: bad"},
		},
		{
			"an entry without a name, new", "the others are not blamed for it",
			found{Definitions: []directory.Definition{definition("b", all)}, Problems: []directory.Problem{problem("bad", "", all, false)}},
			existing{made("b", all)},
			[]string{"create wasm-plugins: bad"},
		},
		{
			"two problems with one plugin", "it gets one change that tells both",
			found{Problems: []directory.Problem{problem("bad", "a", all, false), problem("worse", "a", "a-plugin.yaml", false)}},
			existing{made("a", all)},
			[]string{"update a: bad; worse"},
		},
		{
			"two entries without names", "so does the one named after the file",
			found{Problems: []directory.Problem{problem("bad", "", all, false), problem("worse", "", all, false)}},
			nil, []string{"create wasm-plugins: bad; worse"},
		},
		{
			"module with a bad name", "a plugin that is described properly is not blamed for it",
			found{Definitions: []directory.Definition{definition("item", all)}, Problems: []directory.Problem{problem("bad", "", "Item.wasm", false)}},
			existing{made("item", all)},
			[]string{"create item-wasm: bad"},
		},
		{
			"placeholder no longer needed", "it goes",
			found{Definitions: []directory.Definition{definition("a", all)}},
			existing{made("a", all), invalid("bad", "wasm-plugins", all)},
			[]string{"delete wasm-plugins"},
		},
		{
			"nobody knows which modules are described", "what modules made stays, what files made goes",
			found{Problems: []directory.Problem{problem("bad", "", "x-plugin.yaml", true)}, Incomplete: true},
			existing{made("a", "a.wasm"), made("b", "b-plugin.yaml")},
			[]string{"create x: bad", "delete b"},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			before := fmt.Sprint(c.existing)
			got := decide(c.found, c.existing, "home")
			if diff := cmp.Diff(c.want, lines(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.why, diff)
			}
			if second := decide(c.found, c.existing, "home"); !slices.Equal(lines(second), lines(got)) {
				t.Errorf("asked twice, it answers %q and %q", lines(got), lines(second))
			}
			if after := fmt.Sprint(c.existing); after != before {
				t.Error("what is there was changed")
			}
			for _, change := range got {
				if change.kind == create && (change.plugin.Namespace != "home" || change.plugin.Labels[pluginsv1alpha1.LabelDirectory] == "") {
					t.Errorf("made without its namespace or label: %+v", change.plugin.ObjectMeta)
				}
			}
			settled(t, c.found, c.existing, got)
		})
	}
}

// settled checks that no changes remain after the changes are applied.
func settled(t *testing.T, found directory.Found, existing []pluginsv1alpha1.WasmPlugin, changes []change) {
	t.Helper()
	state := map[string]pluginsv1alpha1.WasmPlugin{}
	for _, wp := range existing {
		state[wp.Name] = wp
	}
	for _, c := range changes {
		if c.kind == remove {
			delete(state, c.plugin.Name)
		} else {
			state[c.plugin.Name] = *c.plugin
		}
	}
	for _, c := range decide(found, slices.Collect(maps.Values(state)), "home") {
		if c.kind != foreign {
			t.Errorf("the next run would %s %s", c.kind, c.plugin.Name)
		}
	}
}

// TestDecide_security distinguishes what looks alike: an absent list allows everything, an empty one allows nothing.
func TestDecide_security(t *testing.T) {
	t.Parallel()
	type security = pluginsv1alpha1.Security
	limits := map[string]security{
		"absent":              {},
		"no resources":        {AllowedResources: []string{}},
		"no verbs":            {AllowedVerbs: []pluginsv1alpha1.Verb{}},
		"no namespaces":       {AllowedNamespaces: []string{}},
		"some resources":      {AllowedResources: []string{"items"}},
		"some verbs":          {AllowedVerbs: []pluginsv1alpha1.Verb{"get"}},
		"fewer requests":      {MaxConcurrentRequests: 1},
		"nothing of anything": {AllowedResources: []string{}, AllowedVerbs: []pluginsv1alpha1.Verb{}, AllowedNamespaces: []string{}},
	}
	for from, was := range limits {
		for to, is := range limits {
			t.Run(from+" to "+to, func(t *testing.T) {
				t.Parallel()
				before, after := definition("a", "f"), definition("a", "f")
				before.Spec.Security, after.Spec.Security = was, is
				wp := made("a", "f")
				define(&wp, before)
				got := lines(decide(directory.Found{Definitions: []directory.Definition{after}}, []pluginsv1alpha1.WasmPlugin{wp}, "home"))
				if want := from != to; (len(got) == 1) != want {
					t.Errorf("got %q, want a change: %t", got, want)
				}
			})
		}
	}
}

func TestSameSettings(t *testing.T) {
	t.Parallel()
	raw := func(s string) *runtime.RawExtension { return &runtime.RawExtension{Raw: []byte(s)} }
	cases := []struct {
		name string
		a, b *runtime.RawExtension
		want bool
	}{
		{"none", nil, nil, true},
		{"some and none", raw(`{}`), nil, false},
		{"spaces", raw(`{"a": 1}`), raw(`{"a":1}`), true},
		{"order", raw(`{"a":1,"b":2}`), raw(`{"b":2,"a":1}`), true},
		{"escapes", raw(`{"a":"\u003c"}`), raw(`{"a":"<"}`), true},
		{"values", raw(`{"a":1}`), raw(`{"a":2}`), false},
		{"large numbers", raw(`{"a":9007199254740993}`), raw(`{"a":9007199254740992}`), false},
		{"members", raw(`{"a":1}`), raw(`{"a":1,"b":null}`), false},
		{"text and number", raw(`{"a":"1"}`), raw(`{"a":1}`), false},
	}
	for _, c := range cases {
		if got := sameSettings(c.a, c.b); got != c.want {
			t.Errorf("%s: got %t, want %t", c.name, got, c.want)
		}
	}
}

func TestNameOf(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"item-validator-plugin.yaml": "item-validator", "wasm-plugins.yaml": "wasm-plugins", "Item_Validator.wasm": "item-validator-wasm",
		"-plugin.yaml": "unnamed", "ÄÖ.wasm": "wasm", "!!!": "unnamed", "a.b-plugin.yaml": "a-b",
		strings.Repeat("n", 59) + "_x.wasm": strings.Repeat("n", 59), "": "unnamed",
	} {
		if got := nameOf(file); got != want {
			t.Errorf("%q: got %q, want %q", file, got, want)
		}
	}
}
