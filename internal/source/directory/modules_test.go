// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDiscover_modules checks that a module without a description becomes a plugin.
func TestDiscover_modules(t *testing.T) {
	t.Parallel()
	p := newPlugins(t)
	for _, name := range []string{"a.wasm", "b.wasm", "c.wasm", "Bad_Name.wasm", ".hidden.wasm", "readme.md", "wasm", "b.wat", strings.Repeat("n", 61) + ".wasm", ".wasm"} {
		p.write(name, "module")
	}
	p.write("described-plugin.yaml", "name: described\npath: ./plugins/b.wasm\n")
	p.mkdir("sub")
	p.write("sub/d.wasm", "module")
	p.write("sub/d-plugin.yaml", "name: d\npath: d.wasm\n")
	found := p.discover()
	if got := names(found); got != "described a c" {
		t.Errorf("got %q", got)
	}
	if diff := cmp.Diff(Definition{Name: "a", Places: []Place{{File: "a.wasm"}}, Spec: found.Definitions[0].Spec}, found.Definitions[1], cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Spec" }, cmp.Ignore())); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	var bad []string
	for _, problem := range found.Problems {
		if problem.Name != "" || !strings.Contains(problem.Message, problem.File+": the file's name makes no plugin name: ") {
			t.Errorf("got %+v", problem)
		}
		bad = append(bad, problem.File)
	}
	if diff := cmp.Diff([]string{"Bad_Name.wasm", strings.Repeat("n", 61) + ".wasm"}, bad); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestDiscover_doubtful checks that a module whose description is invalid does not become a plugin without the limits
// in that description.
func TestDiscover_doubtful(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, file, text string
		want             string // definitions
	}{
		{"plugin file with a mistake", "limits-plugin.yaml", "name: limits\npath: ./a.wasm\nsecurity: {allowedVerb: []}\n", "b"},
		{"plugin file with a misspelt path", "limits-plugin.yaml", "name: limits\npth: ./a.wasm\n", "b"},
		{"plugin file that is no YAML", "limits-plugin.yaml", "name: limits\npath: [\n", ""},
		{"empty plugin file", "limits-plugin.yaml", "", ""},
		{"entry with a mistake", "wasm-plugins.yaml", "plugins:\n- {name: limits, path: a.wasm, config: {capabilities: [fly]}}\n", "b"},
		{"half of wasm-plugins.yaml", "wasm-plugins.yaml", "plugins:\n- {name: lim", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPlugins(t)
			p.write("a.wasm", "module")
			p.write("b.wasm", "module")
			p.write(c.file, c.text)
			found := p.discover()
			if got := names(found); got != c.want || len(found.Problems) != 1 {
				t.Errorf("definitions are %q, want %q; problems %+v", got, c.want, found.Problems)
			}
		})
	}
}

// TestDiscover_odd checks entries that have the name of a file but are something else.
func TestDiscover_odd(t *testing.T) {
	t.Parallel()
	p := newPlugins(t)
	outside := filepath.Join(filepath.Dir(p.dir), "outside")
	for _, name := range []string{".wasm", "-plugin.yaml"} {
		if err := os.WriteFile(outside+name, []byte("name: outside\npath: outside.wasm\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.write("good.wasm", "module")
	p.mkdir("folder.wasm")
	p.mkdir("folder-plugin.yaml")
	p.link("../outside.wasm", "relative.wasm")
	p.link(outside+".wasm", "absolute.wasm")
	p.link("../outside-plugin.yaml", "out-plugin.yaml")
	p.link("loop.wasm", "loop.wasm")
	p.link("nothing", "nothing-plugin.yaml")
	for _, name := range []string{"pipe.wasm", "pipe-plugin.yaml"} {
		if err := syscall.Mkfifo(filepath.Join(p.dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Files that describe plugins and cannot be read make the result incomplete, so check the modules without them.
	configs := p.discover()
	if !configs.Incomplete || names(configs) != "" {
		t.Errorf("got %+v, want it incomplete", configs)
	}
	notified(t, configs, "folder-plugin.yaml", "not a regular file")
	notified(t, configs, "pipe-plugin.yaml", "not a regular file")
	notified(t, configs, "out-plugin.yaml", "escapes")
	notified(t, configs, "nothing-plugin.yaml", "no such file")

	for _, name := range []string{"folder-plugin.yaml", "pipe-plugin.yaml", "out-plugin.yaml", "nothing-plugin.yaml"} {
		if err := os.Remove(filepath.Join(p.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	modules := p.discover()
	if got := names(modules); got != "good" {
		t.Errorf("definitions are %q, want the good one", got)
	}
	notified(t, modules, "folder.wasm", "not a regular file")
	notified(t, modules, "pipe.wasm", "not a regular file")
	notified(t, modules, "relative.wasm", "escapes")
	notified(t, modules, "absolute.wasm", "escapes")
	notified(t, modules, "loop.wasm", "too many levels of symbolic links")
}

// notified checks that there is a problem with a file, whose message contains the name of the file and the part.
func notified(t *testing.T, found Found, file, part string) {
	t.Helper()
	for _, p := range found.Problems {
		if p.File == file {
			if !strings.Contains(p.Message, file) || !strings.Contains(p.Message, part) {
				t.Errorf("%s: got %q, want %q in it", file, p.Message, part)
			}
			return
		}
	}
	t.Errorf("%s: no problem told: %+v", file, found.Problems)
}

func TestDiscover_directory(t *testing.T) {
	t.Parallel()
	p := newPlugins(t)
	if found, err := New(filepath.Join(p.dir, "nothing"), 1).Discover(); err != nil || len(found.Definitions)+len(found.Problems) > 0 {
		t.Errorf("no directory: got %+v, %v; want that it holds nothing", found, err)
	}
	p.write("file", "text")
	if _, err := New(filepath.Join(p.dir, "file"), 1).Discover(); err == nil {
		t.Error("a file for a directory: no error; taking it for empty would remove every plugin")
	}
	p.write("a.wasm", "module")
	p.link(".", "link")
	found, err := New(filepath.Join(p.dir, "link"), 1).Discover()
	if err != nil || names(found) != "a" {
		t.Errorf("through a link: got %+v, %v", found, err)
	}
}

// TestDiscover_paths checks that the prefix "plugins/" means the directory itself, unless it contains such a folder.
func TestDiscover_paths(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"a.wasm": "a.wasm", "./a.wasm": "a.wasm", "./plugins/a.wasm": "a.wasm", "plugins/a.wasm": "a.wasm",
		`.\plugins\a.wasm`: "a.wasm", "sub/a.wasm": "sub/a.wasm", "plugins/inner.wasm": "plugins/inner.wasm",
		"plugins/missing.wasm": "missing.wasm", "plugins/sub/a.wasm": "sub/a.wasm", "sub/../a.wasm": "a.wasm",
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			p := newPlugins(t)
			p.mkdir("plugins")
			p.write("plugins/inner.wasm", "module")
			p.write("x-plugin.yaml", "name: x\npath: '"+path+"'\n")
			found := p.discover()
			if len(found.Definitions) != 1 || found.Definitions[0].Spec.Source.File.Path != want {
				t.Errorf("got %+v, want the path %q", found, want)
			}
		})
	}
}
