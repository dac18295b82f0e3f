// SPDX-License-Identifier: Apache-2.0

package architecture

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/k1s-io/k1s/internal/testenv/testfile"
)

// TestReleaseNotes checks that the release workflow gets the notes of its version, and fails for every other version.
func TestReleaseNotes(t *testing.T) {
	t.Parallel()
	root, dir := repository(t), t.TempDir()
	write := func(p, text string, mode os.FileMode) {
		file := filepath.Join(dir, p)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	const script = "hack/release-notes.sh"
	text := testfile.Read(t, root, script)
	write(script, string(text), 0o755)
	write("charts/k1s/Chart.yaml", "version: 0.3.1\nappVersion: 0.2.0\n", 0o644)
	write("config/manager/kustomization.yaml", "images:\n- name: manager\n  newTag: 0.2.0\n", 0o644)
	write("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n- Next\n\n## [0.2.0] - 2026-01-02\n\n- One of\n  [two](docs/x.md#y) lines\n- [Here](https://example.com)\n\n## [0.1.0] - 2026-01-01\n\n- First\n", 0o644)

	got, err := exec.CommandContext(t.Context(), filepath.Join(dir, script), "v0.2.0").Output()
	if err != nil {
		t.Fatal(err)
	}
	const want = "- One of [two](https://github.com/k1s-io/k1s/blob/v0.2.0/docs/x.md#y) lines\n- [Here](https://example.com)"
	if strings.TrimSpace(string(got)) != want {
		t.Errorf("notes %q, want %q", got, want)
	}
	for _, version := range []string{"v0.1.0", "v0.2", "0.2.0", ""} {
		if out, err := exec.CommandContext(t.Context(), filepath.Join(dir, script), version).Output(); err == nil {
			t.Errorf("version %q: want an error, got the notes %q", version, out)
		}
	}
}
