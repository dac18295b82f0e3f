// SPDX-License-Identifier: Apache-2.0

package codecache

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
)

// TestDir_Bound_order verifies that the least recently used files are removed first, and that files of others and files that are needed are kept.
func TestDir_Bound_order(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start := time.Now().Add(-time.Hour)
	write := func(name string, written, read int) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, make([]byte, 100), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, start.Add(time.Duration(read)*time.Second), start.Add(time.Duration(written)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	write("others/a", 0, 0)
	write("metered-1-2/b", 3, 3)
	write("wazero-x/c", 2, 2)
	write("wazero-x/d", 4, 4)
	write("wazero-x/e", 5, 5)
	write("oci-blobs-1/needed", 0, 0)
	write("oci-blobs-1/old", 1, 1)
	d := &Dir{path: dir, most: 400, log: logr.Discard()}
	d.Except(func() map[string]bool { return map[string]bool{filepath.Join(dir, "oci-blobs-1/needed"): true} })
	d.Bound()

	var left []string
	for _, name := range []string{"others/a", "metered-1-2/b", "wazero-x/c", "wazero-x/d", "wazero-x/e", "oci-blobs-1/needed", "oci-blobs-1/old"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			left = append(left, name)
		}
	}
	if diff := cmp.Diff([]string{"others/a", "wazero-x/d", "wazero-x/e", "oci-blobs-1/needed"}, left); diff != "" {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
}

// TestDir_Bound_written shows that a file which is being written stays, but not what a process left.
func TestDir_Bound_written(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	paths := map[string]time.Duration{"new-1": 30 * time.Second, "new-2": time.Hour, "complete": 0}
	for name, age := range paths {
		path := filepath.Join(dir, "oci-blobs-1", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, make([]byte, 100), 0o600); err != nil {
			t.Fatal(err)
		}
		used := time.Now().Add(-age)
		if err := os.Chtimes(path, used, used); err != nil {
			t.Fatal(err)
		}
	}
	d := &Dir{path: dir, most: 100, log: logr.Discard()}
	d.Except(func() map[string]bool { return nil })
	d.Bound()
	for name := range paths {
		_, err := os.Stat(filepath.Join(dir, "oci-blobs-1", name))
		if left := err == nil; left != (name == "new-1") {
			t.Errorf("%s is left: %t", name, left)
		}
	}
}
