// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/source"
)

// Source reads modules in a directory and its subdirectories.
type Source struct {
	dir      string
	maxBytes int64
}

// New returns a Source for a directory. maxBytes is the maximum size of an uncompressed module.
func New(dir string, maxBytes int64) *Source {
	return &Source{dir: dir, maxBytes: maxBytes}
}

// Fetch returns the module in a file. The path is relative to the directory and cannot leave it, not even through a
// symbolic link. Errors are *plugin.LoadError.
func (s *Source) Fetch(_ context.Context, path string) (plugin.Module, error) {
	stored, err := s.read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return plugin.Module{}, plugin.Reject(pluginsv1alpha1.ReasonFileNotFound,
			"file %q does not exist in the operator's plugin directory (--plugin-dir): put it there", path)
	case err != nil:
		return plugin.Module{}, &plugin.LoadError{
			Reason:  pluginsv1alpha1.ReasonSourceUnavailable,
			Message: fmt.Sprintf("file %q in the operator's plugin directory could not be read", path), Err: err,
		}
	}
	m, err := source.Unpack(stored, s.maxBytes)
	m.Origin = fmt.Sprintf("file %q", path)
	return m, err
}

func (s *Source) read(path string) ([]byte, error) {
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }() // nothing was written
	// Without O_NONBLOCK, opening a named pipe would block until something writes to it.
	f, err := root.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := regular(info); err != nil {
		return nil, err
	}
	// One byte more than allowed lets Unpack detect that the module is too large.
	return io.ReadAll(io.LimitReader(f, s.maxBytes+1))
}

// checkFile returns an error if a file can never be read. A missing file is not an error.
func (s *Source) checkFile(path string) error {
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	info, err := root.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return regular(info)
}

func regular(info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("not a regular file (%s)", info.Mode().Type())
	}
	return nil
}

// Describe returns the name of the source in a status.
func Describe(path string) string { return "file/" + path }

// ProblemOf returns the problem of the file that defines a WasmPlugin, or nil.
func ProblemOf(wp *pluginsv1alpha1.WasmPlugin) error {
	if wp.Labels[pluginsv1alpha1.LabelDirectory] == "" {
		return nil
	}
	reason := wp.Annotations[pluginsv1alpha1.AnnotationDirectoryReason]
	if reason == "" {
		return nil
	}
	return plugin.Reject(reason, "%s", wp.Annotations[pluginsv1alpha1.AnnotationDirectoryMessage])
}
