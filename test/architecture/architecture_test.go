// SPDX-License-Identifier: Apache-2.0

package architecture

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// shown is the maximum number of forbidden dependencies that are reported for a package: one wrong import adds dozens,
// and one path to them is enough.
const shown = 3

// TestImports_direction checks the section "Direction of imports" of the architecture.
func TestImports_direction(t *testing.T) {
	t.Parallel()
	packages := rootPackages(t)
	for _, r := range rules() {
		t.Run(strings.ReplaceAll(r.from[0], "/", "_"), func(t *testing.T) {
			t.Parallel()
			checked := 0
			for _, p := range packages {
				if !p.inModule(module) || !matchesAny(r.from, p.ImportPath) || matchesAny(r.except, p.ImportPath) {
					continue
				}
				checked++
				bad := r.violations(p, packages)
				if len(bad) > shown {
					t.Errorf("%s depends on %d packages it must not know; the first %d follow", p.ImportPath, len(bad), shown)
					bad = bad[:shown]
				}
				for _, dep := range bad {
					t.Errorf("%s depends on %s: %s\n%s", p.ImportPath, dep, r.reason, chain(packages, p.ImportPath, dep))
				}
			}
			if checked == 0 && !r.later {
				t.Errorf("no package matches %q: the rule checks nothing; has the package moved?", r.from)
			}
		})
	}
}

// TestImports_controllersApart checks that the controller of one kind does not depend on that of another kind.
func TestImports_controllersApart(t *testing.T) {
	t.Parallel()
	const all = module + "/internal/controller/"
	kind := func(importPath string) string {
		below, _ := strings.CutPrefix(importPath, all)
		name, _, _ := strings.Cut(below, "/")
		return name
	}
	checked := 0
	packages := rootPackages(t)
	for _, p := range packages {
		if !strings.HasPrefix(p.ImportPath, all) {
			continue
		}
		checked++
		for _, dep := range p.Deps {
			if strings.HasPrefix(dep, all) && kind(dep) != kind(p.ImportPath) {
				t.Errorf("%s depends on %s: controllers do not depend on each other\n%s", p.ImportPath, dep, chain(packages, p.ImportPath, dep))
			}
		}
	}
	if checked < 2 {
		t.Errorf("%d packages below %s: the test checks nothing; have they moved?", checked, all)
	}
}

// TestImports_guests checks that the SDK and the sample plugins do not depend on the operator.
func TestImports_guests(t *testing.T) {
	t.Parallel()
	root := repository(t)
	for _, dir := range guestModules(t, root) {
		t.Run(strings.ReplaceAll(dir, "/", "_"), func(t *testing.T) {
			t.Parallel()
			for _, p := range list(t, path.Join(root, dir), "GOOS=wasip1", "GOARCH=wasm") {
				if p.inModule(module) && !p.inModule(module+"/plugins") {
					t.Errorf("%s depends on %s: guests know the ABI document, not the operator's code", dir, p.ImportPath)
				}
			}
		})
	}
}

// TestPackages_names rejects packages whose name has no meaning.
func TestPackages_names(t *testing.T) {
	t.Parallel()
	vague := []string{"utils", "util", "common", "helpers", "misc", "shared"}
	for _, p := range rootPackages(t) {
		if p.inModule(module) && slices.Contains(vague, path.Base(p.ImportPath)) {
			t.Errorf("%s: name the package after what it provides", p.ImportPath)
		}
	}
}

// violations returns the dependencies of p that the rule does not allow.
func (r rule) violations(p *pkg, packages map[string]*pkg) []string {
	deps := p.Deps
	if r.direct {
		deps = p.Imports
	}
	var bad []string
	for _, dep := range deps {
		switch known := packages[dep]; {
		case known == nil || known.Standard:
		case r.only != nil && !matchesAny(r.only, dep) && !matchesAny(r.from, dep):
			bad = append(bad, dep)
		case matchesAny(r.forbid, dep):
			bad = append(bad, dep)
		}
	}
	return bad
}

func matchesAny(patterns []string, importPath string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		if first, _, _ := strings.Cut(pattern, "/"); !strings.Contains(first, ".") {
			pattern = module + "/" + pattern
		}
		if below, ok := strings.CutSuffix(pattern, "/..."); ok {
			return importPath == below || strings.HasPrefix(importPath, below+"/")
		}
		return importPath == pattern
	})
}
