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

// claimed is the document that names the tests for each threat.
const claimed = "docs/security.md"

var (
	// claim matches a package followed by the names of its tests: `internal/access`: `TestA`, `TestB_c`.
	claim        = regexp.MustCompile("`([a-z][a-z0-9/]*)`: ((?:`Test[A-Za-z0-9_]+`(?:, )?)+)")
	testName     = regexp.MustCompile("`(Test[A-Za-z0-9_]+)`")
	testFunction = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9_]+)\(`)
)

// TestDocs_testsExist checks that the tests that the documentation of security names exist.
func TestDocs_testsExist(t *testing.T) {
	t.Parallel()
	root := repository(t)
	text := testfile.Read(t, root, claimed)
	tests := map[string][]string{} // by package
	for _, p := range repositoryPaths(t, root) {
		if !strings.HasSuffix(p, "_test.go") {
			continue
		}
		code := testfile.Read(t, root, p)
		for _, match := range testFunction.FindAllStringSubmatch(string(code), -1) {
			tests[path.Dir(p)] = append(tests[path.Dir(p)], match[1])
		}
	}
	claims := claimsOf(string(text))
	if len(claims) == 0 {
		t.Errorf("%s names no test", claimed)
	}
	for _, c := range claims {
		if !slices.Contains(tests[c.folder], c.test) {
			t.Errorf("%s names %s of %s, which does not exist", claimed, c.test, c.folder)
		}
	}
	// A name in another format would not be checked.
	if named := len(testName.FindAllString(string(text), -1)); named != len(claims) {
		t.Errorf("%s names %d tests, but only %d of them behind their package, as in `internal/access`: `TestX`", claimed, named, len(claims))
	}
}

// testClaim is a test that a document names.
type testClaim struct{ folder, test string }

// claimsOf returns the tests that a Markdown text names after their package.
func claimsOf(markdown string) []testClaim {
	var out []testClaim
	for _, match := range claim.FindAllStringSubmatch(markdown, -1) {
		for _, name := range testName.FindAllStringSubmatch(match[2], -1) {
			out = append(out, testClaim{match[1], name[1]})
		}
	}
	return out
}

func TestClaimsOf(t *testing.T) {
	t.Parallel()
	const in = "a `test/hostile`: `TestAttack`, `TestAttack_crowd`; `internal/wasm`: `TestX` and `TestLoose`"
	want := []testClaim{{"test/hostile", "TestAttack"}, {"test/hostile", "TestAttack_crowd"}, {"internal/wasm", "TestX"}}
	if got := claimsOf(in); !slices.Equal(got, want) {
		t.Errorf("claimsOf = %v, want %v", got, want)
	}
}
