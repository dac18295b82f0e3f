// SPDX-License-Identifier: Apache-2.0

package architecture

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/k1s-io/k1s/internal/testenv/testfile"
)

var (
	// makefileTarget matches the targets of the Makefile, except for patterns.
	makefileTarget = regexp.MustCompile(`(?m)^([a-z0-9-]+):`)
	// makeCommand matches a call of make in a script, with its arguments.
	makeCommand = regexp.MustCompile(`(?m)(?:^|[\s;|&(])make((?:[ \t]+[^\s;|&)]+)+)`)
	targetName  = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	// fencedMake matches a line of a code block that calls make.
	fencedMake = regexp.MustCompile(`(?m)^(?:\$ )?(make .*)$`)
)

// TestMake_targetsExist checks that the targets that CI and the documentation name are in the Makefile.
func TestMake_targetsExist(t *testing.T) {
	t.Parallel()
	root := repository(t)
	read := func(p string) string {
		text := testfile.Read(t, root, p)
		return string(text)
	}
	var targets []string
	for _, match := range makefileTarget.FindAllStringSubmatch(read("Makefile"), -1) {
		targets = append(targets, match[1])
	}
	for _, p := range repositoryPaths(t, root) {
		if ok, _ := path.Match("plugins/*/go.mod", p); ok { // GO_PLUGINS
			targets = append(targets, "plugin-"+path.Base(path.Dir(p)))
		}
	}
	named := map[string][]string{".ci/run": stepsOfCI(t, root)}
	for p, w := range workflows(t, root) {
		for _, s := range w.steps() {
			named[p] = append(named[p], targetsIn(s.Run)...)
		}
	}
	for _, p := range repositoryPaths(t, root) {
		switch path.Ext(p) {
		case ".md":
			named[p] = targetsInMarkdown(read(p))
		case ".sh":
			named[p] = targetsIn(withoutComments(read(p)))
		}
	}
	checked := 0
	for p, names := range named {
		for _, name := range names {
			checked++
			if !slices.Contains(targets, name) {
				t.Errorf("%s names make %s, which is not a target of the Makefile", p, name)
			}
		}
	}
	if checked < 20 {
		t.Errorf("%d targets: the test checks nothing; have the files moved?", checked)
	}
}

// targetsIn returns the targets that a shell script makes, unless their names are in variables.
func targetsIn(script string) []string {
	var targets []string
	for _, match := range makeCommand.FindAllStringSubmatch(script, -1) {
		for _, word := range strings.Fields(match[1]) {
			if strings.HasPrefix(word, "-") || strings.ContainsAny(word, `=$"`) {
				continue
			}
			if !targetName.MatchString(word) {
				break
			}
			targets = append(targets, word)
		}
	}
	return targets
}

// targetsInMarkdown returns the targets in the code spans and code blocks of a Markdown text.
func targetsInMarkdown(markdown string) []string {
	var targets []string
	for _, block := range fence.FindAllString(markdown, -1) {
		for _, match := range fencedMake.FindAllStringSubmatch(block, -1) {
			targets = append(targets, targetsIn(match[1])...)
		}
	}
	for _, span := range code.FindAllStringSubmatch(fence.ReplaceAllString(markdown, ""), -1) {
		if strings.HasPrefix(span[1], "make ") {
			targets = append(targets, targetsIn(span[1])...)
		}
	}
	return targets
}

func withoutComments(script string) string {
	return regexp.MustCompile(`(?m)^\s*#.*$`).ReplaceAllString(script, "")
}

func TestTargetsIn(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]string{
		"make test":                              {"test"},
		"cd x && make lint test; echo":           {"lint", "test"},
		"(make -C dir image TAG=v1 >out)":        {"dir", "image"},
		`step make "$target"`:                    nil,
		"make image PLATFORM=\"linux/$arch\" X=": {"image"},
		"make demo # make nothing else":          {"demo"},
		"cmake build":                            nil,
	} {
		if got := targetsIn(in); !slices.Equal(got, want) {
			t.Errorf("targetsIn(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTargetsInMarkdown(t *testing.T) {
	t.Parallel()
	const in = "make sure that `make test` and `make` run:\n\n```sh\nmake demo    # shows it\ngo build\n```\n"
	if got, want := targetsInMarkdown(in), []string{"demo", "test"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
