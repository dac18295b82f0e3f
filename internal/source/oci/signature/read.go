// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"context"
	"errors"
	"fmt"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// subjectManifest returns the manifest of the artifact, which it reads once.
func (s *search) subjectManifest(ctx context.Context) ([]byte, error) {
	if s.manifest != nil {
		return s.manifest, nil
	}
	content, err := fetch(ctx, s.repository, s.subject, maxManifestBytes)
	if err == nil {
		s.manifest = content
	}
	return content, err
}

// read returns the content of a descriptor of a manifest or a layer with signatures. If it does not, it has recorded
// why.
func (s *search) read(ctx context.Context, where string, d ocispec.Descriptor, limit int64, left *budget) ([]byte, bool) {
	switch {
	case d.Digest.Validate() != nil || d.Size < 0:
		s.best = furthest(s.best, malformed(where, errors.New("its descriptor has no valid digest and size")))
		return nil, false
	case d.Size > limit:
		s.best = furthest(s.best, malformed(where, fmt.Errorf("it has %d bytes, more than %d", d.Size, limit)))
		return nil, false
	case !left.takeBytes(d.Size):
		s.more = true
		return nil, false
	}
	content, err := fetch(ctx, s.repository, d, limit)
	switch {
	case errors.Is(err, ErrNotFound):
		s.best = furthest(s.best, malformed(where, err))
		return nil, false
	case err != nil:
		s.fail(err)
		return nil, false
	}
	return content, true
}

// fetch reads a content. It checks the digest again: a signature of the artifact's manifest is only worth as much.
func fetch(ctx context.Context, r Repository, d ocispec.Descriptor, limit int64) ([]byte, error) {
	if d.Size > limit {
		return nil, fmt.Errorf("%s has %d bytes, more than %d", d.Digest, d.Size, limit)
	}
	content, err := r.Read(ctx, d, limit)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", d.Digest, err)
	}
	if got := d.Digest.Algorithm().FromBytes(content); got != d.Digest {
		return nil, fmt.Errorf("read %s: the registry sent %s", d.Digest, got)
	}
	return content, nil
}
