// SPDX-License-Identifier: Apache-2.0

package architecture

import (
	"slices"
	"testing"
)

func TestNamedPaths(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, in string
		want     []string
	}{
		{name: "a folder", in: "see `internal/abi/`", want: []string{"internal/abi"}},
		{name: "in a command, with the go command's dots", in: "`go test ./internal/abi/...`", want: []string{"internal/abi"}},
		{name: "alternatives", in: "`internal/controller/{item,category}/`", want: []string{"internal/controller/category", "internal/controller/item"}},
		{name: "a line number", in: "`api/a.go:12`", want: []string{"api/a.go"}},
		{name: "a pattern", in: "`test/**/testdata/*.wat`", want: []string{"test/**/testdata/*.wat"}},
		{name: "an import path is not a path here", in: "`github.com/k1s-io/k1s/internal/abi`"},
		{name: "a placeholder", in: "`plugins/<name>/`, `docs/adr/NNNN-title.md`"},
		{name: "outside code", in: "and/or internal/abi"},
		{name: "a fenced block is the reader's own", in: "```sh\nls `internal/nothing`\n```\n`internal/abi`", want: []string{"internal/abi"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := namedPaths(tc.in); !slices.Equal(got, tc.want) {
				t.Errorf("namedPaths = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestLinkTargets(t *testing.T) {
	t.Parallel()
	const in = "[a](spec/abi.md#limits) [b](https://example.com/x) [c](#here) [`d`](../README.md) ![e](<img/x.png>)"
	want := []string{"../README.md", "img/x.png", "spec/abi.md"}
	if got := linkTargets(in); !slices.Equal(got, want) {
		t.Errorf("linkTargets = %q, want %q", got, want)
	}
}

func TestExists(t *testing.T) {
	t.Parallel()
	known := []string{"test", "test/hostile", "test/hostile/testdata", "test/hostile/testdata/loop.wat"}
	for p, want := range map[string]bool{
		"test/hostile":                   true,
		"test/hostile/testdata/loop.wat": true,
		"test/**/testdata/*.wat":         true,
		"test/*/testdata":                true,
		"test/host":                      false,
		"test/*.wat":                     false,
		"test/**/*.wasm":                 false,
	} {
		if got := exists(known, p); got != want {
			t.Errorf("exists(%q) = %t, want %t", p, got, want)
		}
	}
}
