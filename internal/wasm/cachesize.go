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

// DefaultMaxCacheBytes is how much is kept in the cache directory: the native code of some forty Go guests, or of
// thousands of small ones.
const DefaultMaxCacheBytes = 512 << 20

// cacheSize bounds what is kept in the cache directory: every new version of a plugin adds to it, and a volume that is
// too large costs the operator its Pod. What was not used for longest goes; it is made anew when it is needed.
type cacheSize struct {
	dir  string
	most int64
	log  logr.Logger
	// busy is held by the one who looks.
	busy sync.Mutex
}

// kept is a file in the cache directory.
type kept struct {
	path  string
	bytes int64
	used  time.Time
}

// bound removes files when there is too much, down to three quarters. It does nothing while another call is at it.
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

// files returns what is kept, and its size in bytes.
func (s *cacheSize) files() (files []kept, total int64, err error) {
	for _, prefix := range []string{compiledPrefix, meteredPrefix} {
		paths, err := filepath.Glob(filepath.Join(s.dir, prefix+"*", "*"))
		if err != nil {
			return nil, 0, err
		}
		for _, path := range paths {
			info, err := os.Lstat(path)
			if errors.Is(err, fs.ErrNotExist) {
				continue // a temporary file, or another operator's turn
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

// remove removes so many bytes of files, those first that were not used for longest.
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
