// SPDX-License-Identifier: Apache-2.0

package architecture

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/k1s-io/k1s"

// pkg is the output of "go list -json" for a package, without its tests.
type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string // direct and indirect
	Standard   bool
}

func (p *pkg) inModule(module string) bool {
	return p.ImportPath == module || strings.HasPrefix(p.ImportPath, module+"/")
}

// rootModule caches the list of the root module for all tests of this package.
var rootModule struct {
	once     sync.Once
	packages map[string]*pkg
}

// rootPackages returns the packages of the root module and all their dependencies.
func rootPackages(t *testing.T) map[string]*pkg {
	t.Helper()
	rootModule.once.Do(func() { rootModule.packages = list(t, repository(t)) })
	if rootModule.packages == nil {
		t.Fatal("the root module could not be listed; another test says why")
	}
	return rootModule.packages
}

// list returns the packages of the module in dir and all their dependencies.
func list(t *testing.T, dir string, env ...string) map[string]*pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports,Deps,Standard", "./...")
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	var message strings.Builder
	cmd.Stderr = &message
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list in %s: %v\n%s", dir, err, &message)
	}
	packages := map[string]*pkg{}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("decode the output of go list: %v", err)
		}
		packages[p.ImportPath] = &p
	}
}

// chain returns a shortest chain of imports from one package to another, one import per line.
func chain(packages map[string]*pkg, from, to string) string {
	via := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		if queue[0] == to {
			break
		}
		if p := packages[queue[0]]; p != nil {
			for _, dep := range p.Imports {
				if _, seen := via[dep]; !seen {
					via[dep] = queue[0]
					queue = append(queue, dep)
				}
			}
		}
	}
	way := to
	for at := via[to]; at != ""; at = via[at] {
		way = at + "\n  imports " + way
	}
	return way
}

// repository returns the root of the repository. It reads every folder on the way, so that the go command records them.
// Otherwise the go command would use a cached result of this test if a file changed that only a child process reads.
func repository(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	repositoryPaths(t, root)
	return root
}

// repositoryPaths returns all files and folders relative to root, with slashes.
func repositoryPaths(t *testing.T, root string) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch entry.Name() {
		case ".git", "bin", "node_modules", "target":
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil // such as the file .git of a worktree: SkipDir would skip all files beside it
		}
		relative, err := filepath.Rel(root, path)
		paths = append(paths, filepath.ToSlash(relative))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// guestModules returns the folders of the SDK and of all Go modules that are plugins.
func guestModules(t *testing.T, root string) []string {
	t.Helper()
	var dirs []string
	for _, pattern := range []string{"plugins/sdk/go/go.mod", "plugins/*/go.mod"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 {
			t.Errorf("no file matches %s", pattern)
		}
		for _, file := range found {
			relative, err := filepath.Rel(root, filepath.Dir(file))
			if err != nil {
				t.Fatal(err)
			}
			dirs = append(dirs, filepath.ToSlash(relative))
		}
	}
	return dirs
}
