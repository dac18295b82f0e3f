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
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
	// notInAnchor is what GitHub removes from a heading for its anchor.
	notInAnchor = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
	linkText    = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// TestDocs_anchorsExist verifies that links to headings lead to a heading.
func TestDocs_anchorsExist(t *testing.T) {
	t.Parallel()
	root := repository(t)
	documents := map[string]string{}
	for _, p := range repositoryPaths(t, root) {
		if strings.HasSuffix(p, ".md") {
			text := testfile.Read(t, root, p)
			documents[p] = fence.ReplaceAllString(string(text), "")
		}
	}
	checked := 0
	for document, text := range documents {
		for _, match := range link.FindAllStringSubmatch(code.ReplaceAllString(text, "code"), -1) {
			target, anchor, ok := strings.Cut(match[1], "#")
			if !ok || strings.Contains(target, ":") {
				continue
			}
			if target = path.Join(path.Dir(document), target); strings.HasPrefix(match[1], "#") {
				target = document
			}
			checked++
			if !slices.Contains(anchors(documents[target]), anchor) {
				t.Errorf("%s links to %s, but %s has no such heading", document, match[1], target)
			}
		}
	}
	if checked < 10 {
		t.Errorf("%d links to headings: the test checks nothing; have the documents moved?", checked)
	}
}

// anchors returns the anchors of a Markdown text's headings, as GitHub derives them.
func anchors(markdown string) []string {
	var all []string
	for _, match := range heading.FindAllStringSubmatch(markdown, -1) {
		text := linkText.ReplaceAllString(match[1], "$1")
		text = notInAnchor.ReplaceAllString(strings.ToLower(text), "")
		all = append(all, strings.ReplaceAll(text, " ", "-"))
	}
	return all
}

func TestAnchors(t *testing.T) {
	t.Parallel()
	const in = "# The `webhook`'s certificate\ntext\n## [What](x.md) can be lost, and why\n####not one\n"
	want := []string{"the-webhooks-certificate", "what-can-be-lost-and-why"}
	if got := anchors(in); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
