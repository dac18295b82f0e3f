// SPDX-License-Identifier: Apache-2.0

package codecache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/go-logr/logr"

	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/wasm/meter"
)

// Prefixes of the subdirectories of the cache directory: wazero's compiled code, artifacts, and what was pulled from
// registries, which others write.
const (
	compiledPrefix = "wazero-"
	meteredPrefix  = "metered-"
	pulledPrefix   = "oci-"
	// temporaryPrefix is that of the files which are renamed when they are complete.
	temporaryPrefix = "new-"
)

// Dir is the directory of wazero's compilation cache. It also stores artifacts, so that each digest is metered and
// compiled only once. Like compiled code, artifacts are trusted: whoever can write them controls the process. Its size
// is limited, because every new version of a plugin adds to it, and the kubelet evicts a Pod whose volume exceeds its
// size limit. A nil Dir stores nothing.
type Dir struct {
	path string
	most int64
	log  logr.Logger
	// temporary reports whether the directory is removed when it is closed. Such a directory stores no artifacts.
	temporary bool
	// pinned returns the paths of files that Bound does not remove; nil means that there are none.
	pinned atomic.Pointer[func() map[string]bool]
	// busy is held while Bound runs.
	busy sync.Mutex
}

// Open returns the directory with a path, of at most the given size in bytes. It returns an error if other users can
// write the directory.
func Open(path string, most int64, log logr.Logger) (*Dir, error) {
	if err := secure(path, log); err != nil {
		return nil, fmt.Errorf("open the compilation cache %q: %w", path, err)
	}
	d := &Dir{path: path, most: most, log: log}
	d.Bound() // it may have exceeded the limit before
	return d, nil
}

// OpenTemporary returns a new directory that Close removes. It only passes compiled code between processes.
func OpenTemporary(most int64, log logr.Logger) (*Dir, error) {
	path, err := os.MkdirTemp("", "k1s-compiled-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for compiled code: %w (--cache-dir names one that can be written)", err)
	}
	return &Dir{path: path, most: most, log: log, temporary: true}, nil
}

// Close removes the directory if it is temporary.
func (d *Dir) Close() error {
	if d == nil || !d.temporary {
		return nil
	}
	return os.RemoveAll(d.path)
}

// Except sets the function that returns the paths of files that Bound does not remove.
func (d *Dir) Except(pinned func() map[string]bool) { d.pinned.Store(&pinned) }

// Path returns the path of the directory.
func (d *Dir) Path() string { return d.path }

// RemoveCompiled removes the native code of all modules, because only wazero knows which file is damaged.
func (d *Dir) RemoveCompiled() error {
	files, err := fs.Glob(os.DirFS(d.path), compiledPrefix+"*/*")
	for _, file := range files {
		err = errors.Join(err, os.Remove(filepath.Join(d.path, file)))
	}
	return err
}

func (d *Dir) keepsArtifacts() bool { return d != nil && !d.temporary }

// Artifact returns the artifact of a digest. It returns an error if the artifact does not exist or is damaged.
func (d *Dir) Artifact(digest plugin.Digest) (*Artifact, error) {
	if !d.keepsArtifacts() {
		return nil, fs.ErrNotExist
	}
	file, err := os.Open(d.artifactPath(digest))
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	return ReadArtifact(file)
}

// Keep stores the artifact of a digest. It writes the file atomically.
func (d *Dir) Keep(digest plugin.Digest, a *Artifact) error {
	if !d.keepsArtifacts() {
		return nil
	}
	path := d.artifactPath(digest)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), temporaryPrefix+"*")
	if err != nil {
		return err
	}
	err = writeArtifact(file, a)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// File returns the file of a digest, or nil if there is none. The file can be read as long as it is open, even after it
// is removed from the directory.
func (d *Dir) File(digest plugin.Digest) *os.File {
	if !d.keepsArtifacts() {
		return nil
	}
	file, err := os.Open(d.artifactPath(digest))
	if err != nil {
		return nil
	}
	return file
}

func (d *Dir) artifactPath(digest plugin.Digest) string {
	return filepath.Join(d.path, fmt.Sprintf(meteredPrefix+"%d-%d", artifactFormat, meter.Version), string(digest))
}
