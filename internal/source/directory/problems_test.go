// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestDiscover_problems checks common mistakes in files. None of them keeps the plugin "good" from loading.
func TestDiscover_problems(t *testing.T) {
	t.Parallel()
	const good = "  - {name: good, path: good.wasm}\n"
	cases := []struct {
		name, why  string
		file, text string
		plugin     string   // the plugin that the problem names
		parts      []string // the parts of its message
		whole      bool     // nothing in the file can be used
	}{
		{
			"unknown key", "a misspelt key must not be passed over", "wasm-plugins.yaml",
			"plugins:\n" + good + "  - name: bad\n    path: bad.wasm\n    capabilitys: [reconcile]\n",
			"bad", []string{"wasm-plugins.yaml:5: unknown key capabilitys"}, false,
		},
		{
			"unknown key in config", "at any depth", "wasm-plugins.yaml",
			"plugins:\n" + good + "  - name: bad\n    path: bad.wasm\n    config:\n      memory_page: 1\n",
			"bad", []string{"wasm-plugins.yaml:6: unknown key memory_page"}, false,
		},
		{
			"unknown key at the top", "it may be the misspelt list itself", "wasm-plugins.yaml",
			"plugins:\n" + good + "plugin:\n  - name: bad\n",
			"", []string{"wasm-plugins.yaml: line 3: unknown key plugin"}, true,
		},
		{
			"malformed", "the line is the library's", "wasm-plugins.yaml",
			"plugins:\n" + good + "  - name: [\n",
			"", []string{"wasm-plugins.yaml: line 3: ", "go on as they were"}, true,
		},
		{
			"tab", "YAML has no tabs", "wasm-plugins.yaml",
			"plugins:\n" + good + "  - name: bad\n\tpath: bad.wasm\n",
			"", []string{"wasm-plugins.yaml: line ", "tab"}, true,
		},
		{
			"wrong type", "a number is needed", "wasm-plugins.yaml",
			"plugins:\n" + good + "  - name: bad\n    path: bad.wasm\n    config:\n      memory_pages: many\n",
			"bad", []string{"wasm-plugins.yaml:6: cannot unmarshal !!str `many` into int32"}, false,
		},
		{
			"text for an entry", "it is no plugin", "wasm-plugins.yaml",
			"plugins:\n  - bad.wasm\n" + good,
			"", []string{"wasm-plugins.yaml:2: cannot unmarshal !!str"}, false,
		},
		{
			"empty entry", "nor is nothing", "wasm-plugins.yaml",
			"plugins:\n  -\n" + good,
			"", []string{"wasm-plugins.yaml:2: name is missing", "path is missing"}, false,
		},
		{
			"several mistakes", "all are told at once", "wasm-plugins.yaml",
			"plugins:\n" + good + "  - name: bad\n    path: /etc/passwd\n    config:\n      for_types: [Item]\n      capabilities: [fly]\n",
			"bad", []string{"wasm-plugins.yaml:4: path \"/etc/passwd\" leaves the plugin directory", `:6: for_types "Item": want group/version.Kind`, `:7: capability "fly"`}, false,
		},
		{
			"very many mistakes", "some are told", "wasm-plugins.yaml",
			"plugins:\n" + good + "  - name: bad\n    path: bad.wasm\n    config:\n      capabilities: [" + strings.Repeat("fly,", 100) + "]\n",
			"bad", []string{"; and 95 more"}, false,
		},
		{"no name", "a plugin needs one", "wasm-plugins.yaml", "plugins:\n" + good + "  - path: bad.wasm\n", "", []string{"wasm-plugins.yaml:3: name is missing"}, false},
		{"no path", "a module too", "wasm-plugins.yaml", "plugins:\n" + good + "  - name: bad\n", "bad", []string{"wasm-plugins.yaml:3: path is missing"}, false},
		{"bad name", "it becomes an object's name", "wasm-plugins.yaml", "plugins:\n" + good + "  - {name: Bad_Name, path: bad.wasm}\n", "", []string{`wasm-plugins.yaml:3: name "Bad_Name": `}, false},
		{"long name", "it becomes part of a field manager", "wasm-plugins.yaml", "plugins:\n" + good + "  - {name: " + strings.Repeat("n", 61) + ", path: bad.wasm}\n", "", []string{"no more than 60 characters"}, false},
		{"path out", "not even through a folder", "wasm-plugins.yaml", "plugins:\n" + good + "  - {name: bad, path: a/../../b.wasm}\n", "bad", []string{`wasm-plugins.yaml:3: path "a/../../b.wasm" leaves the plugin directory`}, false},
		{"path of nothing", "a file is needed", "wasm-plugins.yaml", "plugins:\n" + good + "  - {name: bad, path: ./}\n", "bad", []string{`path "./" names no file`}, false},
		{
			"settings that are no JSON", "keys must be text", "wasm-plugins.yaml",
			"plugins:\n" + good + "  - name: bad\n    path: bad.wasm\n    config:\n      settings:\n        deep: {1: a}\n",
			"bad", []string{"wasm-plugins.yaml:7: settings: "}, false,
		},
		{"key twice", "one of them is wrong", "wasm-plugins.yaml", "plugins:\n" + good + "  - name: bad\n    path: bad.wasm\n    path: worse.wasm\n", "bad", []string{`wasm-plugins.yaml:5: mapping key "path" already defined at line 4; until`}, false},
		{"two documents", "which one counts?", "wasm-plugins.yaml", "plugins:\n" + good + "---\nplugins: []\n", "", []string{"line 3: a second document"}, true},
		{"empty", "probably half-written", "wasm-plugins.yaml", "# soon\n", "", []string{"wasm-plugins.yaml: the file is empty"}, true},
		{"too large", "nobody writes a megabyte by hand", "wasm-plugins.yaml", "plugins:\n" + good + "#" + strings.Repeat("x", 1<<20), "", []string{"larger than 1048576 bytes"}, true},
		{"aliases that multiply", "the library stops them", "wasm-plugins.yaml", bomb(), "", []string{"excessive aliasing"}, true},

		{"plugin file: unknown key", "as above", "bad-plugin.yaml", "name: bad\npath: bad.wasm\nsecurity:\n  allowedVerb: [get]\n", "bad", []string{"bad-plugin.yaml:4: unknown key allowedVerb"}, false},
		{"plugin file: malformed", "the name can be read all the same", "some-plugin.yaml", "name: \"bad\"\npath: [\n", "bad", []string{"some-plugin.yaml: line "}, true},
		{"plugin file: another type", "there is one kind of plugin", "bad-plugin.yaml", "name: bad\ntype: grpc\npath: bad.wasm\n", "bad", []string{`bad-plugin.yaml:2: type "grpc": only "wasm" is known`}, false},
		{"plugin file: no name", "it is not taken from the file's", "bad-plugin.yaml", "type: wasm\npath: bad.wasm\n", "", []string{"bad-plugin.yaml:1: name is missing"}, false},
		{"plugin file: list", "it is one plugin", "bad-plugin.yaml", "- name: bad\n", "", []string{"bad-plugin.yaml:1: cannot unmarshal !!seq"}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPlugins(t)
			p.write(c.file, c.text)
			if c.file != filePlugins {
				p.write("good-plugin.yaml", "name: good\npath: good.wasm\n")
			}
			found := p.discover()
			if len(found.Problems) != 1 {
				t.Fatalf("%s: got %d problems, want 1: %+v", c.why, len(found.Problems), found.Problems)
			}
			got := found.Problems[0]
			if got.Name != c.plugin || got.File != c.file || got.Whole != c.whole || got.Reason != "InvalidPluginFile" {
				t.Errorf("%s: got %+v, want it about %q", c.why, got, c.plugin)
			}
			for _, part := range c.parts {
				if !strings.Contains(got.Message, part) {
					t.Errorf("%s: message %q does not contain %q", c.why, got.Message, part)
				}
			}
			if want := !c.whole || c.file != filePlugins; (names(found) == "good") != want {
				t.Errorf("%s: definitions are %q, want the good one: %t", c.why, names(found), want)
			}
			if found.Incomplete != c.whole {
				t.Errorf("%s: incomplete is %t", c.why, found.Incomplete)
			}
		})
	}
}

// bomb returns a few hundred bytes of YAML that expand to gigabytes.
func bomb() string {
	text := "plugins:\n  - name: bad\n    path: bad.wasm\n    config:\n      settings:\n        a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
	for i := range 12 {
		text += fmt.Sprintf("        a%d: &a%d [%s]\n", i+1, i+1, strings.Join(slices.Repeat([]string{fmt.Sprintf("*a%d", i)}, 9), ","))
	}
	return text
}

func TestDiscover_duplicates(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, why string
		files     map[string]string
		places    string // empty: there is no problem
	}{
		{"twice in one file", "", map[string]string{"wasm-plugins.yaml": "plugins:\n- {name: a, path: a.wasm}\n- {name: a, path: b.wasm}\n"}, "wasm-plugins.yaml:2 and wasm-plugins.yaml:3"},
		{"the same twice", "even then", map[string]string{"wasm-plugins.yaml": "plugins:\n- {name: a, path: a.wasm}\n- {name: a, path: a.wasm}\n"}, "wasm-plugins.yaml:2 and wasm-plugins.yaml:3"},
		{"two plugin files", "", map[string]string{"a-plugin.yaml": "name: a\npath: a.wasm\n", "b-plugin.yaml": "path: a.wasm\nname: a\n"}, "a-plugin.yaml:1 and b-plugin.yaml:2"},
		{"both formats, two modules", "halves of one plugin are about one module", map[string]string{"wasm-plugins.yaml": "plugins:\n- {name: a, path: a.wasm}\n", "a-plugin.yaml": "name: a\npath: b.wasm\n"}, "a-plugin.yaml:1 and wasm-plugins.yaml:2"},
		{"both formats, one module", "that is one plugin", map[string]string{"wasm-plugins.yaml": "plugins:\n- {name: a, path: ./plugins/a.wasm}\n", "a-plugin.yaml": "name: a\npath: ./a.wasm\n"}, ""},
		{"a module of that name", "and the file describes another module", map[string]string{"a-plugin.yaml": "name: a\npath: b.wasm\n", "a.wasm": ""}, "a-plugin.yaml:1 and a.wasm"},
		{"the module itself", "it is described", map[string]string{"a-plugin.yaml": "name: a\npath: a.wasm\n", "a.wasm": ""}, ""},
		{"three times", "all are named", map[string]string{"a-plugin.yaml": "name: a\npath: b.wasm\n", "a.wasm": "", "wasm-plugins.yaml": "plugins:\n- {name: a, path: b.wasm}\n"}, "a-plugin.yaml:1 and wasm-plugins.yaml:2 and a.wasm"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPlugins(t)
			for name, text := range c.files {
				p.write(name, text)
			}
			p.write("z-plugin.yaml", "name: z\npath: z.wasm\n")
			found := p.discover()
			switch {
			case c.places == "":
				if len(found.Problems) > 0 || names(found) != "z a" && names(found) != "a z" {
					t.Errorf("%s: got %+v", c.why, found)
				}
			case len(found.Problems) != 1 || names(found) != "z":
				t.Errorf("%s: got %+v, want one problem, and the other plugin", c.why, found)
			default:
				if got := found.Problems[0]; got.Name != "a" || got.Reason != "DuplicateName" || !strings.Contains(got.Message, c.places+";") {
					t.Errorf("%s: got %+v, want %q", c.why, got, c.places)
				}
			}
		})
	}
}
