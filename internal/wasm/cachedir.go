// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-logr/logr"
)

// The folders in the cache directory begin with these: wazero's of compiled code, and that of artifacts.
const (
	compiledPrefix = "wazero-"
	meteredPrefix  = "metered-"
)

// trust is what the mode and the owner of a file say about who may have written it.
type trust int

const (
	trusted trust = iota
	// doubtful: members of the operator's own group may have written it. That is what a volume's fsGroup makes of
	// what was the operator's alone, each time that it is mounted.
	doubtful
	// foreign: others may have written it.
	foreign
)

// secureCacheDir makes the cache directory, unless it is there, and sees to it that what is in it is the operator's
// own: compiled code runs as the operator, whatever made it. What others could write, or have written, is refused. What
// only the operator's own group could write is made the operator's alone again, and begins empty.
func secureCacheDir(dir string, log logr.Logger) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	// The directory itself may be a symbolic link; in it there are none.
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	worst := trusted
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path != dir {
			return nil // another operator that ends tidies up
		}
		if err != nil {
			return err
		}
		if filepath.Dir(path) == dir && !ours(entry.Name()) {
			return skip(entry) // not what this package would read
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

// ours reports whether something in the cache directory is of this package.
func ours(name string) bool {
	return strings.HasPrefix(name, compiledPrefix) || strings.HasPrefix(name, meteredPrefix)
}

func skip(entry fs.DirEntry) error {
	if entry.IsDir() {
		return fs.SkipDir
	}
	return nil
}

// empty makes the directory the operator's alone, and removes what is in it.
func empty(dir string) error {
	if err := os.Chmod(dir, 0o700); err != nil { //nolint:gosec // it is a directory
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
