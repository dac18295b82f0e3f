// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// TestEngine_cacheDir verifies that a second engine uses the compiled code of the first one.
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
	for _, file := range left { // as a failing disk would
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

// TestEngine_cacheDir_deleted verifies that a cache directory that cannot be written only costs time, and that plugins
// still load.
func TestEngine_cacheDir_deleted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, l := newEngine(t, func(o *Options) { o.CacheDir = dir })
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if got := calls(t, load(t, e, "modes")); got != 1 {
		t.Errorf("call %d, want 1", got)
	}
	if l.Count("Cannot keep compiled code") != 1 {
		t.Error("nothing is logged about it")
	}
	_, _, err := e.Load(t.Context(), request(t, "not_valid"))
	rejection{"not_valid", pluginsv1alpha1.ReasonCompileFailed, "could not be compiled"}.check(t, err)
}

// TestEngine_cacheDir_others verifies that a cache directory that other users can write is rejected: whoever can write
// compiled code runs code as the operator.
func TestEngine_cacheDir_others(t *testing.T) {
	t.Parallel()
	const stranger = 12345
	cases := map[string]struct {
		spoil func(t *testing.T, dir, folder, file string) error
		want  string
		// root reports that only root can make the directory insecure in this way.
		root bool
	}{
		"directory that all may write": {func(_ *testing.T, dir, _, _ string) error { return os.Chmod(dir, 0o707) }, "can be written by others", false},
		"folder that all may write":    {func(_ *testing.T, _, folder, _ string) error { return os.Chmod(folder, 0o703) }, "can be written by others", false},
		"file that all may write":      {func(_ *testing.T, _, _, file string) error { return os.Chmod(file, 0o602) }, "can be written by others", false},
		"sticky, as the place for temporary files": {func(_ *testing.T, dir, _, _ string) error {
			return os.Chmod(dir, os.ModeSticky|0o777)
		}, "can be written by others", false},
		"file that leads elsewhere": {func(t *testing.T, _, _, file string) error {
			elsewhere := filepath.Join(t.TempDir(), "elsewhere")
			return errors.Join(os.Rename(file, elsewhere), os.Symlink(elsewhere, file))
		}, "neither a file nor a directory", false},
		"directory of somebody else": {func(_ *testing.T, dir, _, _ string) error { return os.Chown(dir, stranger, -1) }, "belongs to another user", true},
		"file of somebody else":      {func(_ *testing.T, _, _, file string) error { return os.Chown(file, stranger, -1) }, "belongs to another user", true},
		"another group's": {func(_ *testing.T, dir, _, _ string) error {
			return errors.Join(os.Chown(dir, -1, stranger), os.Chmod(dir, 0o770))
		}, "can be written by others", true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tc.root && os.Geteuid() != 0 {
				t.Skip("only root can give a file away")
			}
			dir, folder, file := leftover(t)
			if err := tc.spoil(t, dir, folder, file); err != nil {
				t.Fatal(err)
			}
			e, err := New(t.Context(), Options{CacheDir: dir})
			if err == nil {
				_ = e.Close(t.Context())
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("got %v, want an error about %q with %q", err, dir, tc.want)
			}
		})
	}
}

// TestEngine_cacheDir_ownGroup verifies that the content of a cache directory is discarded if the operator's own group
// could write it, as the fsGroup of a volume allows, and that files of others are kept.
func TestEngine_cacheDir_ownGroup(t *testing.T) {
	t.Parallel()
	dir, folder, file := leftover(t)
	foreign := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(foreign, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o770); err != nil {
		t.Fatal(err)
	}
	e, l := newEngine(t, func(o *Options) { o.CacheDir = dir })
	if l.Count("Compiled code is made anew") != 1 {
		t.Error("nothing is logged about it")
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was there is still there: %v", err)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Errorf("what is not of the engine: %v", err)
	}
	if got := calls(t, load(t, e, "modes")); got != 1 {
		t.Errorf("call %d, want 1", got)
	}
	for _, path := range []string{dir, folder} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s is %v (%v), want it to be the operator's alone", path, info.Mode(), err)
		}
	}
}

// leftover returns the cache directory of an engine that was closed, a subdirectory in it and a file in that.
func leftover(t *testing.T) (dir, folder, file string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "compiled")
	e, _ := newEngine(t, func(o *Options) { o.CacheDir = dir })
	load(t, e, "modes")
	if err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			folder, file = filepath.Dir(path), path
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 || file == "" {
		t.Fatalf("the engine left %q in %s: %v, %v", file, dir, info, err)
	}
	return dir, folder, file
}
