// SPDX-License-Identifier: Apache-2.0

package architecture

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// wording is an expression that the documentation does not use, and its replacement.
type wording struct {
	not *regexp.Regexp
	but string
}

// wordings maps paraphrases to the words of the Kubernetes and WebAssembly documentation.
var wordings = []wording{
	{words(`(hold|holds|held|holding) up`), `"admission request", "the webhook matches …"`},
	{words(`have a say`), `"the plugin's webhook"`},
	{words(`refus(e|es|ed|ing|al|als)`), `"denied" (admission), "rejected" (modules, specs, revisions), "forbidden" (permissions)`},
	{words(`(hears?|told|tells?|tell) of`), `"receives events", "is notified"`},
	{words(`(go|goes|going) on serving`), `"keeps serving"`},
	{words(`(take|takes|took|taken|taking) back`), `"rolls back"`},
	{words(`on trial`), `"on probation"`},
	{words(`says? whether`), `"reports whether"`},
	{words(`(is|are|has|have) none`), `"is not a …", "has no …"`},
	{words(`none of`), `"no …", "is not …"`},
	{words(`what (becomes|is left) of`), `"the result of", "the remaining …"`},
	{words(`for (its|their) sake`), `"for …"`},
	{words(`(put|puts|putting) off`), `"delayed", "requeued"`},
	{words(`(look|looks|tried|tries|try) again`), `"retry", "re-check"`},
	{words(`mend(s|ed|ing)?`), `"fix"`},
	{words(`of (its|their|our) own making`), `"self-signed"`},
	{words(`lets? go of`), `"removes the finalizer"`},
	{words(`written down`), `"recorded"`},
	{words(`purses?|treasures?|poison(s|ed|ing)?`), `what it is: "quota", "fixture", …`},
	{words(`authoris(e|es|ed|ing|ation)|initialis(e|es|ed|ing|ation)|recognis(e|es|ed|ing)|cancelled|cancelling|behaviours?|summaris(e|es|ed|ing)|serialis(e|es|ed|ing)`), "American spelling, as Kubernetes has it"},
}

func words(pattern string) *regexp.Regexp { return regexp.MustCompile(`(?i)\b(` + pattern + `)\b`) }

// proseWidth is the maximum number of characters in a line of Markdown, except for code, tables and links.
const proseWidth = 100

// generated are the documents that are generated from the code.
var generated = []string{"docs/metrics.md", "docs/reference/api.md", "docs/benchmarks.md"}

// TestWords checks that the documentation uses standard Kubernetes and WebAssembly English.
func TestWords(t *testing.T) {
	t.Parallel()
	root := repository(t)
	checked := 0
	for _, p := range repositoryPaths(t, root) {
		if !strings.HasSuffix(p, ".md") || matchesPath(generated, p) {
			continue
		}
		checked++
		text, err := os.ReadFile(filepath.Join(root, p))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, l := range prose(string(text)) {
			for _, w := range wordings {
				if found := w.not.FindString(l.text); found != "" {
					t.Errorf("%s:%d says %q: say %s", p, l.number, found, w.but)
				}
			}
			if width := utf8.RuneCountInString(l.whole); width > proseWidth && !l.mayBeLong() {
				t.Errorf("%s:%d has %d characters: wrap it at %d", p, l.number, width, proseWidth)
			}
		}
	}
	if checked < 10 {
		t.Errorf("%d documents: the test checks nothing; have they moved?", checked)
	}
}

// line is a line of a Markdown text outside of code blocks. The field text is the line without code spans.
type line struct {
	number      int
	whole, text string
}

// mayBeLong reports whether the line cannot be wrapped: it is a row of a table, one word or one link.
func (l line) mayBeLong() bool {
	return strings.HasPrefix(l.whole, "|") || !strings.Contains(strings.TrimSpace(link.ReplaceAllString(l.whole, "")), " ")
}

// prose returns the lines of a Markdown text that are not in code blocks or comments.
func prose(markdown string) []line {
	var lines []line
	code := regexp.MustCompile("`[^`\n]+`")
	blank := func(block string) string { return strings.Repeat("\n", strings.Count(block, "\n")) }
	markdown = fence.ReplaceAllStringFunc(markdown, blank)
	markdown = regexp.MustCompile(`(?s)<!--.*?-->`).ReplaceAllStringFunc(markdown, blank)
	for i, whole := range strings.Split(markdown, "\n") {
		lines = append(lines, line{i + 1, whole, code.ReplaceAllString(whole, "code")})
	}
	return lines
}

func matchesPath(paths []string, p string) bool {
	for _, known := range paths {
		if p == known {
			return true
		}
	}
	return false
}

func TestProse(t *testing.T) {
	t.Parallel()
	const in = "a `code span`\n```sh\nrefused\n```\n<!-- held\nup -->\nb"
	want := map[int]string{1: "a code", 7: "b"}
	for _, l := range prose(in) {
		if l.text != want[l.number] {
			t.Errorf("line %d is %q, want %q", l.number, l.text, want[l.number])
		}
	}
}
