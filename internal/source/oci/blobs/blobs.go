// SPDX-License-Identifier: Apache-2.0

// Package blobs implements the cache of what was pulled from registries: content by its SHA-256, and records of what
// each namespace was allowed to pull. Everything is verified when it is read. A file that is damaged is removed and
// counts as missing.
package blobs

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/opencontainers/go-digest"
)

// Subdirectories of the cache directory. The compilation cache, which limits the size of all of them together, knows
// their common prefix.
const (
	blobsDir   = "oci-blobs-1"
	recordsDir = "oci-records-1"
)

// temporary is the pattern of files that are being written, and maxWriting is how long that takes at most.
const (
	temporary  = "new-*"
	maxWriting = time.Minute
)

// ErrMissing means that something is not in the cache, or was damaged.
var ErrMissing = errors.New("it is not in the cache")

// Dir is a cache directory.
type Dir struct {
	path string
	// grown is called after a file was added; it limits the size of the directory.
	grown func()
	pins  pins
}

// Open returns the cache in a directory that only the operator can write.
func Open(path string, grown func()) (*Dir, error) {
	for _, sub := range []string{blobsDir, recordsDir} {
		if err := os.MkdirAll(filepath.Join(path, sub), 0o700); err != nil {
			return nil, fmt.Errorf("make the cache of artifacts: %w", err)
		}
	}
	d := &Dir{path: path, grown: grown}
	if err := d.clean(time.Now().Add(-maxWriting)); err != nil {
		return nil, err
	}
	return d, d.inherit()
}

// clean removes the temporary files of processes that ended while they wrote one.
func (d *Dir) clean(before time.Time) error {
	files, err := fs.Glob(os.DirFS(d.path), "oci-*/"+temporary)
	if err != nil {
		return err
	}
	for _, file := range files {
		path := filepath.Join(d.path, file)
		if info, err := os.Stat(path); err != nil || !info.ModTime().Before(before) { // another process writes it
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("clean the cache of artifacts: %w", err)
		}
	}
	return nil
}

// Has reports whether there is a file for a digest. It does not verify it.
func (d *Dir) Has(of digest.Digest) bool {
	_, err := os.Stat(d.blobPath(of))
	return err == nil
}

// Blob returns the content with a digest, or ErrMissing.
func (d *Dir) Blob(of digest.Digest) ([]byte, error) {
	path := d.blobPath(of)
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, missing(err)
	}
	if digest.FromBytes(content) != of {
		return nil, d.damaged(path)
	}
	now := time.Now()
	_ = os.Chtimes(path, now, now) // the least recently used files are removed first
	return content, nil
}

// Keep stores content. The digest must be that of the content.
func (d *Dir) Keep(of digest.Digest, content []byte) error { return d.write(d.blobPath(of), content) }

// Size returns the size of all blobs in bytes.
func (d *Dir) Size() (size int64) {
	entries, _ := os.ReadDir(filepath.Join(d.path, blobsDir)) // nothing is there
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			size += info.Size()
		}
	}
	return size
}

// Record returns the record with a name, or ErrMissing.
func (d *Dir) Record(name string) ([]byte, error) {
	path := d.recordPath(name)
	stored, err := os.ReadFile(path)
	if err != nil {
		return nil, missing(err)
	}
	if len(stored) < sha256.Size || sha256.Sum256(stored[sha256.Size:]) != [sha256.Size]byte(stored) {
		return nil, d.damaged(path)
	}
	return stored[sha256.Size:], nil
}

// KeepRecord stores a record under a name.
func (d *Dir) KeepRecord(name string, record []byte) error {
	sum := sha256.Sum256(record)
	return d.write(d.recordPath(name), append(sum[:], record...))
}

// write replaces a file atomically.
func (d *Dir) write(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), temporary)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	d.grown()
	return nil
}

func (d *Dir) damaged(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: the file is damaged and cannot be removed: %w", ErrMissing, err)
	}
	return fmt.Errorf("%w: the file was damaged, and is removed", ErrMissing)
}

func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrMissing
	}
	return fmt.Errorf("%w: %w", ErrMissing, err)
}

func (d *Dir) blobPath(of digest.Digest) string { return filepath.Join(d.path, blobsDir, of.Encoded()) }

// recordPath returns a path that does not depend on which characters a name has.
func (d *Dir) recordPath(name string) string {
	sum := sha256.Sum256([]byte(name))
	return filepath.Join(d.path, recordsDir, hex.EncodeToString(sum[:]))
}
