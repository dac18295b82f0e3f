// SPDX-License-Identifier: Apache-2.0

package codecache

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// kept is a file in the cache directory.
type kept struct {
	path  string
	bytes int64
	used  time.Time
}

// Bound removes the least recently used files if the directory is larger than its limit, until it has three quarters of
// the limit. They are created again when they are needed. It returns at once while another call runs.
func (d *Dir) Bound() {
	if d == nil || !d.busy.TryLock() {
		return
	}
	defer d.busy.Unlock()
	files, total, err := d.files()
	if err == nil && total > d.most {
		files = slices.DeleteFunc(files, d.needed())
		err = remove(files, total-d.most/4*3)
	}
	if err != nil {
		d.log.Error(err, "Cannot bound the directory of compiled code", "directory", d.path)
	}
}

// needed returns whether a file is to stay. While nobody has said which of the files from registries do, all of them do.
func (d *Dir) needed() func(kept) bool {
	pinned := d.pinned.Load()
	if pinned == nil {
		return func(f kept) bool { return strings.HasPrefix(filepath.Base(filepath.Dir(f.path)), pulledPrefix) }
	}
	paths := (*pinned)()
	return func(f kept) bool { return paths[f.path] || f.isWritten() }
}

// isWritten reports whether a file is being written under a temporary name, which it loses within a minute.
func (f kept) isWritten() bool {
	return strings.HasPrefix(filepath.Base(f.path), temporaryPrefix) && time.Since(f.used) < time.Minute
}

// files returns the cached files and their total size in bytes.
func (d *Dir) files() (files []kept, total int64, err error) {
	for _, prefix := range []string{compiledPrefix, meteredPrefix, pulledPrefix} {
		paths, err := filepath.Glob(filepath.Join(d.path, prefix+"*", "*"))
		if err != nil {
			return nil, 0, err
		}
		for _, path := range paths {
			info, err := os.Lstat(path)
			if errors.Is(err, fs.ErrNotExist) {
				continue // a temporary file, or another operator process removed it
			}
			if err != nil {
				return nil, 0, err
			}
			if info.Mode().IsRegular() {
				files = append(files, kept{path, info.Size(), usedAt(info)})
				total += info.Size()
			}
		}
	}
	return files, total, nil
}

// remove removes the least recently used files until the given number of bytes is freed.
func remove(files []kept, bytes int64) error {
	slices.SortFunc(files, func(a, b kept) int { return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.path, b.path)) })
	var err error
	for _, f := range files {
		if bytes <= 0 {
			break
		}
		if failed := os.Remove(f.path); failed != nil && !errors.Is(failed, fs.ErrNotExist) {
			err = errors.Join(err, failed)
			continue
		}
		bytes -= f.bytes
	}
	return err
}
