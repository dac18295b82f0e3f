// SPDX-License-Identifier: Apache-2.0

package blobs

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
)

// open opens a cache in a new directory and counts the files that are added.
func open(t *testing.T) (*Dir, *atomic.Int32) {
	t.Helper()
	added := &atomic.Int32{}
	d, err := Open(t.TempDir(), func() { added.Add(1) })
	if err != nil {
		t.Fatal(err)
	}
	return d, added
}

// files returns the names of the files of a subdirectory.
func files(t *testing.T, d *Dir, sub string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(d.path, sub))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestDir(t *testing.T) {
	t.Parallel()
	d, added := open(t)
	content := []byte("content")
	of := digest.FromBytes(content)
	if _, err := d.Blob(of); !errors.Is(err, ErrMissing) || d.Has(of) {
		t.Errorf("an empty cache: got %v", err)
	}
	if err := d.Keep(of, content); err != nil {
		t.Fatal(err)
	}
	if got, err := d.Blob(of); err != nil || !bytes.Equal(got, content) || !d.Has(of) {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := d.Record("../name"); !errors.Is(err, ErrMissing) {
		t.Errorf("an unknown record: got %v", err)
	}
	for _, record := range []string{"first", "second", ""} {
		if err := d.KeepRecord("../name", []byte(record)); err != nil {
			t.Fatal(err)
		}
		if got, err := d.Record("../name"); err != nil || string(got) != record {
			t.Errorf("got the record %q, %v", got, err)
		}
	}
	if n := added.Load(); n != 4 || len(files(t, d, blobsDir)) != 1 || len(files(t, d, recordsDir)) != 1 {
		t.Errorf("%d files were added; there are %q and %q", n, files(t, d, blobsDir), files(t, d, recordsDir))
	}
}

// TestDir_damaged shows that a file which was changed counts as missing, is removed, and can be stored anew.
func TestDir_damaged(t *testing.T) {
	t.Parallel()
	content := []byte("content")
	of := digest.FromBytes(content)
	for name, damage := range map[string]func([]byte) []byte{
		"flipped bit at the beginning": func(b []byte) []byte { b[0] ^= 1; return b },
		"flipped bit at the end":       func(b []byte) []byte { b[len(b)-1] ^= 0x80; return b },
		"truncated":                    func(b []byte) []byte { return b[:len(b)-1] },
		"longer":                       func(b []byte) []byte { return append(b, 0) },
		"empty":                        func([]byte) []byte { return nil },
	} {
		d, _ := open(t)
		store := func() {
			t.Helper()
			if err := errors.Join(d.Keep(of, content), d.KeepRecord("name", content)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		store()
		for _, path := range []string{d.blobPath(of), d.recordPath("name")} {
			stored, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, damage(stored), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := d.Blob(of); !errors.Is(err, ErrMissing) || got != nil {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
		if got, err := d.Record("name"); !errors.Is(err, ErrMissing) || got != nil {
			t.Errorf("%s: got the record %q, %v", name, got, err)
		}
		if len(files(t, d, blobsDir))+len(files(t, d, recordsDir)) != 0 {
			t.Errorf("%s: the damaged files are still there", name)
		}
		store()
		if got, err := d.Blob(of); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s: stored again: got %q, %v", name, got, err)
		}
	}
}

// TestDir_unusable shows that a cache which cannot be read counts as empty, and that one which cannot be written returns
// an error and leaves nothing.
func TestDir_unusable(t *testing.T) {
	t.Parallel()
	content := []byte("content")
	of := digest.FromBytes(content)
	d, added := open(t)
	if err := os.Mkdir(d.blobPath(of), 0o700); err != nil { // a file cannot replace it
		t.Fatal(err)
	}
	if _, err := d.Blob(of); !errors.Is(err, ErrMissing) {
		t.Errorf("a directory: got %v", err)
	}
	if err := d.Keep(of, content); err == nil {
		t.Error("a file replaced a directory")
	}
	if got := files(t, d, blobsDir); len(got) != 1 {
		t.Errorf("a temporary file is still there: %q", got)
	}
	if err := os.RemoveAll(filepath.Join(d.path, blobsDir)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Blob(of); !errors.Is(err, ErrMissing) {
		t.Errorf("no directory: got %v", err)
	}
	if err := d.Keep(of, content); err == nil || added.Load() != 0 {
		t.Errorf("no directory: got %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file, func() {}); err == nil {
		t.Error("a file was opened as a directory")
	}
}

// TestOpen_temporary shows that what an ended process left is removed, and what another one writes is not.
func TestOpen_temporary(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	for name, age := range map[string]time.Duration{"oci-blobs-1/new-1": time.Hour, "oci-records-1/new-2": time.Hour, "oci-blobs-1/new-3": 0, "oci-blobs-1/other": time.Hour} {
		path := filepath.Join(d.path, name)
		at := time.Now().Add(-age)
		if err := errors.Join(os.WriteFile(path, []byte("half"), 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Open(d.path, func() {})
	if err != nil {
		t.Fatal(err)
	}
	if got := append(files(t, again, blobsDir), files(t, again, recordsDir)...); len(got) != 2 || got[0] != "new-3" || got[1] != "other" {
		t.Errorf("got %q, want new-3 and other", got)
	}
}

// TestDir_concurrent stores and reads one digest at the same time: it is never partial.
func TestDir_concurrent(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	content := bytes.Repeat([]byte("content"), 10_000)
	of := digest.FromBytes(content)
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			if err := errors.Join(d.Keep(of, content), d.KeepRecord("name", content)); err != nil {
				t.Error(err)
			}
		})
		work.Go(func() {
			if got, err := d.Blob(of); err != nil && err != ErrMissing || err == nil && !bytes.Equal(got, content) { //nolint:errorlint // damaged files are wrapped
				t.Errorf("got %d bytes, %v", len(got), err)
			}
			if got, err := d.Record("name"); err != nil && err != ErrMissing || err == nil && !bytes.Equal(got, content) { //nolint:errorlint // damaged files are wrapped
				t.Errorf("got a record of %d bytes, %v", len(got), err)
			}
		})
	}
	work.Wait()
	if got := files(t, d, blobsDir); len(got) != 1 {
		t.Errorf("there are %q", got)
	}
}
