// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// A second engine takes the compiled code that the first one left.
func TestEngine_cacheDir(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := func() (all []string) {
		err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			info, err := entry.Info()
			all = append(all, path+" "+info.ModTime().String())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	use := func() {
		e, _ := newEngine(t, func(o *Options) { o.CacheDir = dir })
		if got := calls(t, load(t, e, "modes")); got != 1 {
			t.Errorf("call %d, want 1", got)
		}
	}
	use()
	left := files()
	if len(left) == 0 {
		t.Fatal("the first engine left nothing")
	}
	use()
	if diff := cmp.Diff(left, files()); diff != "" {
		t.Errorf("the second engine compiled again (-first +second)\n%s", diff)
	}
	for _, file := range left { // by a disk that failed
		path, _, _ := strings.Cut(file, " ")
		if err := os.Truncate(path, 100); err != nil {
			t.Fatal(err)
		}
	}
	use()
	if len(files()) != len(left) {
		t.Errorf("the damaged files were not replaced: %q", files())
	}
}

// A cache directory that cannot be written to costs time, and no plugin.
func TestEngine_cacheDir_gone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, l := newEngine(t, func(o *Options) { o.CacheDir = dir })
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if got := calls(t, load(t, e, "modes")); got != 1 {
		t.Errorf("call %d, want 1", got)
	}
	if l.count("Cannot keep compiled code") != 1 {
		t.Error("nothing is logged about it")
	}
	_, _, err := e.Load(t.Context(), request(t, "not_valid"))
	refusal{"not_valid", pluginsv1alpha1.ReasonCompileFailed, "could not be compiled"}.check(t, err)
}
