// SPDX-License-Identifier: Apache-2.0

package codecache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-logr/logr"
)

// trust describes who may have written a file, according to its mode and its owner.
type trust int

const (
	trusted trust = iota
	// doubtful: members of the operator's own group may have written it. The fsGroup of a volume puts files that only
	// the operator could write into this state each time that the volume is mounted.
	doubtful
	// foreign: other users may have written it.
	foreign
)

// secure creates the cache directory if it does not exist, and ensures that only the operator can write its
// content, because compiled code runs with the operator's permissions whoever wrote it. It returns an error if other
// users can write the content or may have written it. If only the operator's own group could write it, it restricts the
// directory to the operator and removes the content.
func secure(dir string, log logr.Logger) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	// The directory itself may be a symbolic link. Symbolic links in it are rejected below.
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	worst := trusted
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path != dir {
			return nil // another operator process removed the file as it shut down
		}
		if err != nil {
			return err
		}
		if filepath.Dir(path) == dir && !ours(entry.Name()) {
			return skip(entry) // this package does not read it
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if !info.IsDir() && !info.Mode().IsRegular() {
			return fmt.Errorf("%q is neither a file nor a directory: remove it", path)
		}
		how := trustOf(info)
		if how == foreign {
			return fmt.Errorf("%q (%s) can be written by others than the operator, or belongs to another user; whoever can write compiled code "+
				"runs code as the operator: remove it, or name a directory of the operator's own in --cache-dir", path, info.Mode())
		}
		worst = max(worst, how)
		return nil
	})
	if err != nil || worst == trusted {
		return err
	}
	log.Info("Compiled code is made anew: its directory could be written by the operator's group", "directory", dir)
	return empty(dir)
}

// ours reports whether an entry of the cache directory belongs to this package.
func ours(name string) bool {
	return strings.HasPrefix(name, compiledPrefix) || strings.HasPrefix(name, meteredPrefix)
}

func skip(entry fs.DirEntry) error {
	if entry.IsDir() {
		return fs.SkipDir
	}
	return nil
}

// empty restricts the directory to the operator, and removes the entries that belong to this package.
func empty(dir string) error {
	if err := os.Chmod(dir, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !ours(entry.Name()) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}
