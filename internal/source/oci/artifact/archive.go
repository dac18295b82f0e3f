// SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/source/sniff"
)

// maxNames is the maximum number of files of an archive without a module that a message names.
const maxNames = 3

// archive is the search of a tar archive. Only regular files matter: links, devices and folders are skipped, and names
// are nothing but text in messages, as no file is written.
type archive struct {
	limits  limits
	modules []file
	// seen has the names of the files, and whether each is a module.
	seen map[string]bool
	// files, names and other describe an archive without a module: the number of its files, the first names, and the file
	// that comes nearest to a module.
	files int
	names []string
	other *finding
	// expanded is the size of the modules in all. It counts besides the size of the archive, as sparse files are larger
	// than their data.
	expanded int64
}

// search reads an archive to its end. It returns nil if the archive has modules, or what it has instead.
func (a *archive) search(r io.Reader) *finding {
	f := a.searchFiles(r)
	if f != nil {
		a.modules = nil
	}
	return f
}

func (a *archive) searchFiles(r io.Reader) *finding {
	tr := tar.NewReader(r)
	for n := 0; ; n++ {
		h, err := tr.Next()
		switch {
		case errors.Is(err, io.EOF):
			// The rest is padding, but the checksum of the compression follows it.
			if _, err := io.Copy(io.Discard, r); err != nil {
				return unreadable(err, a.limits.module)
			}
			return a.result()
		case err != nil && !errors.Is(err, tar.ErrInsecurePath):
			return unreadable(err, a.limits.module)
		case n == maxFiles:
			return &finding{rank: rankArchive, what: fmt.Sprintf("holds an archive of more than the %d files that the operator searches", maxFiles), advice: pushModule}
		case h.Typeflag != tar.TypeReg:
			continue
		}
		if f := a.file(tr, h); f != nil {
			return f
		}
	}
}

// file searches one regular file, and returns why the archive is rejected, or nil.
func (a *archive) file(r io.Reader, h *tar.Header) *finding {
	name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
	head := make([]byte, min(headBytes, h.Size))
	if _, err := io.ReadFull(r, head); err != nil {
		return unreadable(err, a.limits.module)
	}
	kind := sniff.Of(head)
	before, again := a.seen[name]
	if again && (before || kind.IsModule()) {
		return &finding{rank: rankArchive, what: fmt.Sprintf("holds an archive that has the file %s twice", quote(name)), advice: "build the archive with one file of this name"}
	}
	a.seen[name] = kind.IsModule()
	a.files++
	if !kind.IsModule() {
		a.note(name, kind)
		return nil
	}
	a.expanded += h.Size
	if h.Size > a.limits.module || a.expanded > a.limits.layer {
		return tooLarge(fmt.Sprintf("holds the file %s, whose module has %d bytes", quote(name), h.Size), a.limits.module)
	}
	module, err := io.ReadAll(io.MultiReader(bytes.NewReader(head), r))
	if err != nil {
		return unreadable(err, a.limits.module)
	}
	a.modules = append(a.modules, file{name: name, module: plugin.NewModule(module)})
	return nil
}

// note records a file that is not a module.
func (a *archive) note(name string, kind sniff.Content) {
	if len(a.names) < maxNames {
		a.names = append(a.names, quote(name))
	}
	f := notModule(fmt.Sprintf("holds the file %s,", quote(name)), kind)
	if f.rank == rankOther && path.Ext(name) == ".wasm" {
		f.rank = rankSuffix
	}
	if f.rank > rankOther && (a.other == nil || f.rank > a.other.rank) {
		a.other = f
	}
}

// result returns nil if the archive has modules, or what it has instead.
func (a *archive) result() *finding {
	switch {
	case len(a.modules) > 0:
		return nil
	case a.other != nil:
		return a.other
	case a.files == 0:
		return &finding{what: "holds an archive without files", advice: pushModule}
	default:
		return &finding{what: fmt.Sprintf("holds an archive without a module (%s)", listOf(a.names, a.files)), advice: pushModule}
	}
}
