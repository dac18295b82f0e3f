// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"io/fs"
	"os"
	"strings"
	"testing"
)

func TestAttack(t *testing.T) {
	t.Parallel()
	for _, a := range attacks() {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			inChild(t, a.name)
		})
	}
}

// TestAttack_fixtures verifies that every fixture is used.
func TestAttack_fixtures(t *testing.T) {
	t.Parallel()
	used := map[string]bool{"neighbor.wat": true}
	names := map[string]bool{}
	for _, a := range attacks() {
		if names[a.name] {
			t.Errorf("there are two attacks %q", a.name)
		}
		names[a.name] = true
		used[a.file()+".wat"] = true
	}
	files, err := fs.Glob(os.DirFS("testdata"), "*.wat")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no fixtures: %v", err)
	}
	for _, file := range files {
		if !used[file] {
			t.Errorf("no attack uses %s", strings.TrimSuffix(file, ".wat"))
		}
	}
}
