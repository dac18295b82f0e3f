// SPDX-License-Identifier: Apache-2.0

package architecture

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// wording is an expression that texts do not use, and its replacement.
type wording struct {
	not *regexp.Regexp
	but string
	// markdown restricts it to Markdown: identifiers and texts of tests still use it.
	markdown bool
}

// wordings maps paraphrases to the words of the Kubernetes and WebAssembly documentation.
var wordings = []wording{
	{not: words(`(hold|holds|held|holding) up`), but: `"admission request", "the webhook matches …"`},
	{not: words(`have a say`), but: `"the plugin's webhook"`},
	{not: words(`refus(e|es|ed|ing|al|als)`), but: `"denied" (admission), "rejected" (modules, specs, revisions), "forbidden" (permissions)`},
	{not: words(`(hears?|told|tells?|tell) of`), but: `"receives events", "is notified"`},
	{not: words(`(go|goes|going) on serving`), but: `"keeps serving"`},
	{not: words(`(take|takes|took|taken|taking) back`), but: `"rolls back"`},
	{not: words(`on trial`), but: `"on probation"`},
	{not: words(`says? whether`), but: `"reports whether"`},
	{not: words(`(is|are|has|have) none`), but: `"is not a …", "has no …"`, markdown: true},
	{not: words(`none of`), but: `"no …", "is not …"`, markdown: true},
	{not: words(`what (becomes|is left) of`), but: `"the result of", "the remaining …"`},
	{not: words(`for (its|their) sake`), but: `"for …"`},
	{not: words(`(put|puts|putting) off`), but: `"delayed", "requeued"`},
	{not: words(`(look|looks|tried|tries|try) again`), but: `"retry", "re-check"`},
	{not: words(`mend(s|ed|ing)?`), but: `"fix"`},
	{not: words(`of (its|their|our) own making`), but: `"self-signed"`},
	{not: words(`lets? go of`), but: `"removes the finalizer"`},
	{not: words(`written down`), but: `"recorded"`},
	{not: words(`purses?|treasures?|poison(s|ed|ing)?`), but: `what it is: "quota", "fixture", …`},
	{not: words(`authoris(e|es|ed|ing|ation)|initialis(e|es|ed|ing|ation)|recognis(e|es|ed|ing)|cancelled|cancelling|behaviours?|summaris(e|es|ed|ing)|serialis(e|es|ed|ing)`), but: "American spelling, as Kubernetes has it"},
}

// suspicious matches every text that a wording which is not restricted to Markdown matches: one expression is faster
// than many.
var suspicious = func() *regexp.Regexp {
	var all []string
	for _, w := range wordings {
		if !w.markdown {
			all = append(all, w.not.String())
		}
	}
	return regexp.MustCompile(strings.Join(all, "|"))
}()

func words(pattern string) *regexp.Regexp { return regexp.MustCompile(`(?i)\b(` + pattern + `)\b`) }

// proseWidth is the maximum number of characters in a line of Markdown, except for code, tables and links.
const proseWidth = 100

// generated are the documents that are generated from the code, and need not be wrapped.
var generated = []string{"docs/metrics.md", "docs/reference/api.md", "docs/benchmarks.md"}

// endings are the endings of the names of files with English texts.
var endings = []string{".md", ".go", ".yaml", ".yml", ".sh", ".wat", ".ts", ".rs", ".c", ".h", ".tpl", ".txt", "Makefile", "Dockerfile"}

// TestWords checks that all texts use standard Kubernetes and WebAssembly English.
func TestWords(t *testing.T) {
	t.Parallel()
	root := repository(t)
	checked := 0
	for _, p := range repositoryPaths(t, root) {
		ends := func(ending string) bool { return strings.HasSuffix(p, ending) }
		if !slices.ContainsFunc(endings, ends) || ends("words_test.go") {
			continue
		}
		checked++
		text, err := os.ReadFile(filepath.Join(root, p))
		if err != nil {
			t.Error(err)
			continue
		}
		markdown := ends(".md")
		if !markdown && !suspicious.Match(text) {
			continue
		}
		lines := linesOf(string(text))
		if markdown {
			lines = prose(string(text))
		}
		for _, l := range lines {
			for _, w := range wordings {
				if found := w.not.FindString(l.text); found != "" && (markdown || !w.markdown) {
					t.Errorf("%s:%d says %q: say %s", p, l.number, found, w.but)
				}
			}
			if width := utf8.RuneCountInString(l.whole); markdown && !slices.Contains(generated, p) && width > proseWidth && !l.mayBeLong() {
				t.Errorf("%s:%d has %d characters: wrap it at %d", p, l.number, width, proseWidth)
			}
		}
	}
	if checked < 100 {
		t.Errorf("%d files: the test checks nothing; have they moved?", checked)
	}
}

// line is a line of a Markdown text outside of code blocks. The field text is the line without code spans and the
// targets of links.
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
	code := regexp.MustCompile("`[^`\n]+`")
	blank := func(block string) string { return strings.Repeat("\n", strings.Count(block, "\n")) }
	markdown = fence.ReplaceAllStringFunc(markdown, blank)
	markdown = regexp.MustCompile(`(?s)<!--.*?-->`).ReplaceAllStringFunc(markdown, blank)
	lines := linesOf(markdown)
	for i := range lines {
		lines[i].text = link.ReplaceAllString(code.ReplaceAllString(lines[i].whole, "code"), "](")
	}
	return lines
}

// linesOf returns the lines of any text.
func linesOf(text string) []line {
	var lines []line
	for i, whole := range strings.Split(text, "\n") {
		lines = append(lines, line{number: i + 1, whole: whole, text: whole})
	}
	return lines
}

func TestProse(t *testing.T) {
	t.Parallel()
	const in = "a `code span` [x](refused.md)\n```sh\nrefused\n```\n<!-- held\nup -->\nb"
	want := map[int]string{1: "a code [x]()", 7: "b"}
	for _, l := range prose(in) {
		if l.text != want[l.number] {
			t.Errorf("line %d is %q, want %q", l.number, l.text, want[l.number])
		}
	}
}
