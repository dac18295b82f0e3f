// SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/source"
	"github.com/k1s-io/k1s/internal/source/sniff"
)

// headBytes is the number of bytes at the beginning of a layer or a file that tell its kind: one more than sniff
// examines, so that it knows that there are more.
const headBytes = 1<<10 + 1

// file is a module. The name is empty if the layer is the module itself.
type file struct {
	name   string
	module plugin.Module
}

// scan returns the modules in the bytes of a layer, or what they are instead. If the context has ended, the result has
// no meaning.
func (s *search) scan(ctx context.Context, stored []byte) ([]file, *finding) {
	r, err := source.Uncompress(stored)
	if err != nil {
		return nil, unreadable(streamError{err}, s.limits.module)
	}
	defer r.Close()
	in := bufio.NewReaderSize(s.limits.meter(ctx, r), headBytes)
	head, err := in.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, unreadable(err, s.limits.module)
	}
	kind := sniff.Of(head)
	switch {
	case kind.IsModule():
		return s.unpack(stored)
	case isTar(head):
		a := archive{seen: map[string]bool{}, limits: s.limits}
		f := a.search(in)
		return a.modules, f
	default:
		return nil, notModule("holds", kind)
	}
}

// unpack returns the module that a layer is.
func (s *search) unpack(stored []byte) ([]file, *finding) {
	m, err := source.Unpack(stored, s.limits.module)
	var load *plugin.LoadError
	switch {
	case errors.As(err, &load) && load.Reason == pluginsv1alpha1.ReasonModuleTooLarge:
		s.limits.uncompressed -= s.limits.module
		return nil, tooLarge("holds a larger module", s.limits.module)
	case errors.As(err, &load):
		return nil, unreadable(streamError{load.Err}, s.limits.module)
	}
	s.limits.uncompressed -= int64(len(m.Bytes))
	return []file{{module: m}}, nil
}

// isTar reports whether the data begins with a tar header, with or without the magic number that not all formats have,
// or with the block of zeros that ends an archive.
func isTar(head []byte) bool {
	const block = 512
	if len(head) < block {
		return false
	}
	_, err := tar.NewReader(bytes.NewReader(head[:block])).Next()
	return err == nil || string(head[257:262]) == "ustar" || len(bytes.Trim(head[:block], "\x00")) == 0
}
