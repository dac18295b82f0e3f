// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
)

// DefaultMaxCacheBytes is the default limit of the cache directory. It holds the native code of about forty Go guests,
// or of thousands of small ones.
const DefaultMaxCacheBytes = 512 << 20

// cacheSize limits the size of the cache directory: every new version of a plugin adds to it, and the kubelet evicts a
// Pod whose volume exceeds its size limit. The least recently used files are removed first and are created again when
// they are needed.
type cacheSize struct {
	dir  string
	most int64
	log  logr.Logger
	// busy is held while bound runs.
	busy sync.Mutex
}

// kept is a file in the cache directory.
type kept struct {
	path  string
	bytes int64
	used  time.Time
}

// bound removes files if the directory is larger than the limit, until it has three quarters of the limit. It returns
// at once while another call runs.
func (s *cacheSize) bound() {
	if s.dir == "" || !s.busy.TryLock() {
		return
	}
	defer s.busy.Unlock()
	files, total, err := s.files()
	if err == nil && total > s.most {
		err = remove(files, total-s.most/4*3)
	}
	if err != nil {
		s.log.Error(err, "Cannot bound the directory of compiled code", "directory", s.dir)
	}
}

// files returns the cached files and their total size in bytes.
func (s *cacheSize) files() (files []kept, total int64, err error) {
	for _, prefix := range []string{compiledPrefix, meteredPrefix} {
		paths, err := filepath.Glob(filepath.Join(s.dir, prefix+"*", "*"))
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
