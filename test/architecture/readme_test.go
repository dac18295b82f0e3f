// SPDX-License-Identifier: Apache-2.0

package architecture

import (
	"regexp"
	"strings"
	"testing"

	"github.com/k1s-io/k1s/internal/testenv/testfile"
)

// TestReadme_plugin checks that the code in the README is a part of the example, which is compiled and tested.
func TestReadme_plugin(t *testing.T) {
	t.Parallel()
	root := repository(t)
	readme := testfile.Read(t, root, "README.md")
	example := testfile.Read(t, root, "plugins/sdk/go/examples/hello/main.go")
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(blocks) != 1 {
		t.Fatalf("the README has %d blocks of Go, want 1", len(blocks))
	}
	if !strings.Contains(string(example), blocks[0][1]) {
		t.Error("the plugin in the README is not a part of plugins/sdk/go/examples/hello/main.go")
	}
}
