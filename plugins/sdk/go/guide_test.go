// SPDX-License-Identifier: Apache-2.0

package k1s_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGuide checks that the code in the guide for plugin authors equals the example, which is compiled and tested.
func TestGuide(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "..")
	guide, err := os.ReadFile(filepath.Join(root, "docs", "guides", "first-plugin-go.md"))
	if _, outside := os.Stat(filepath.Join(root, "docs", "spec", "abi.md")); errors.Is(outside, fs.ErrNotExist) {
		t.Skip("the module is not in its repository")
	}
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for i, part := range strings.Split(string(guide), "```") {
		if code, ok := strings.CutPrefix(part, "go\n"); ok && i%2 == 1 {
			blocks = append(blocks, code)
		}
	}
	files := []string{"main.go", "main_test.go"}
	if len(blocks) != len(files) {
		t.Fatalf("the guide has %d blocks of Go, want one for each of %q", len(blocks), files)
	}
	for i, file := range files {
		source, err := os.ReadFile(filepath.Join("examples", "hello", file))
		if err != nil {
			t.Fatal(err)
		}
		_, code, _ := strings.Cut(string(source), "\n\n") // without the license
		if code != blocks[i] {
			t.Errorf("the guide differs from examples/hello/%s:\n%s", file, blocks[i])
		}
	}
	if lines := strings.Count(blocks[0], "\n"); lines > 40 {
		t.Errorf("the first plugin has %d lines, at most 40 are promised", lines)
	}
}
