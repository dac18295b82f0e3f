// SPDX-License-Identifier: Apache-2.0

package architecture

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadme_plugin checks that the code in the README is a part of the example, which is compiled and tested.
func TestReadme_plugin(t *testing.T) {
	t.Parallel()
	root := repository(t)
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile(filepath.Join(root, "plugins/sdk/go/examples/hello/main.go"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(blocks) != 1 {
		t.Fatalf("the README has %d blocks of Go, want 1", len(blocks))
	}
	if !strings.Contains(string(example), blocks[0][1]) {
		t.Error("the plugin in the README is not a part of plugins/sdk/go/examples/hello/main.go")
	}
}
