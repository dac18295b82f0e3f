// SPDX-License-Identifier: Apache-2.0

package architecture

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDocs_pathsExist checks that the files and folders that the documentation names exist.
func TestDocs_pathsExist(t *testing.T) {
	t.Parallel()
	root := repository(t)
	known := repositoryPaths(t, root)
	var documents []string
	for _, p := range known {
		if strings.HasSuffix(p, ".md") {
			documents = append(documents, p)
		}
	}
	for _, p := range []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"} {
		if !slices.Contains(documents, p) {
			t.Errorf("there is no %s", p)
		}
	}
	for _, document := range documents {
		text, err := os.ReadFile(filepath.Join(root, document))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, named := range namedPaths(string(text)) {
			if !built.MatchString(named) && !exists(known, named) {
				t.Errorf("%s names %s, which does not exist", document, named)
			}
		}
		for _, target := range linkTargets(string(text)) {
			if p := path.Join(path.Dir(document), target); !exists(known, p) {
				t.Errorf("%s links to %s, but there is no %s", document, target, p)
			}
		}
	}
}

// built matches paths that exist only after a build. The documentation may name them.
var built = regexp.MustCompile(`^plugins/[^/]+\.wasm$`)

var (
	topLevel = regexp.MustCompile(`^(\.ci|\.github|api|charts|cmd|config|docs|hack|internal|plugins|test)/`)
	fence    = regexp.MustCompile("(?ms)^[ \t]*(```|~~~).*?^[ \t]*(```|~~~)[ \t]*$")
	code     = regexp.MustCompile("`([^`\n]+)`")
	link     = regexp.MustCompile(`\]\(<?([^)\s>]+)`)
	// placeholder matches a placeholder in a path: <name>, NNNN, $DIR, ….
	placeholder = regexp.MustCompile(`[<>$…]|NNNN`)
	lineNumber  = regexp.MustCompile(`(:\d+)+$`)
)

// namedPaths returns the repository paths in the code spans of a Markdown text, also those inside a command, with {a,b}
// expanded. It ignores fenced blocks, because they show the reader's own files and terminals.
func namedPaths(markdown string) []string {
	var paths []string
	for _, span := range code.FindAllStringSubmatch(fence.ReplaceAllString(markdown, ""), -1) {
		for _, word := range strings.Fields(span[1]) {
			for _, p := range expandBraces(strings.TrimPrefix(word, "./")) {
				p = lineNumber.ReplaceAllString(strings.TrimRight(p, ".,;:)"), "")
				p, _, _ = strings.Cut(p, "#")
				if topLevel.MatchString(p) && !placeholder.MatchString(p) {
					paths = append(paths, strings.TrimRight(p, "/"))
				}
			}
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// linkTargets returns the relative targets of a Markdown text's links.
func linkTargets(markdown string) []string {
	var targets []string
	text := code.ReplaceAllString(fence.ReplaceAllString(markdown, ""), "code")
	for _, match := range link.FindAllStringSubmatch(text, -1) {
		target, _, _ := strings.Cut(match[1], "#")
		if target != "" && !strings.Contains(target, ":") {
			targets = append(targets, strings.TrimRight(target, "/"))
		}
	}
	slices.Sort(targets)
	return slices.Compact(targets)
}

// expandBraces turns a{b,c} into ab and ac, as a shell does.
func expandBraces(word string) []string {
	before, rest, ok := strings.Cut(word, "{")
	inside, after, closed := strings.Cut(rest, "}")
	if !ok || !closed {
		return []string{word}
	}
	var words []string
	for choice := range strings.SplitSeq(inside, ",") {
		words = append(words, expandBraces(before+choice+after)...)
	}
	return words
}

// exists reports whether a path is among the known ones. In the path, * matches a part of a name and ** any number of
// folders.
func exists(known []string, p string) bool {
	pattern := regexp.QuoteMeta(path.Clean(p))
	pattern = strings.ReplaceAll(pattern, `\*\*/`, `(.*/)?`)
	pattern = strings.ReplaceAll(pattern, `\*\*`, `.*`)
	pattern = strings.ReplaceAll(pattern, `\*`, `[^/]*`)
	matcher := regexp.MustCompile("^" + pattern + "$")
	for _, k := range known {
		if matcher.MatchString(k) {
			return true
		}
	}
	return false
}
