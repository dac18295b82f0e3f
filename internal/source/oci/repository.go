// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/registry/remote"
)

const (
	// metadataTimeout limits a request for a manifest, or for whether something exists.
	metadataTimeout = 30 * time.Second
	// stallTimeout limits how long a registry may send nothing while it sends a blob.
	stallTimeout = 30 * time.Second
	// blobTimeout limits how long a blob may take in all.
	blobTimeout = 5 * time.Minute
	// maxMetadata limits manifests and lists. The distribution specification suggests 4 MiB.
	maxMetadata = 4 << 20
)

// errTooLarge means that a descriptor exceeds the limit for what it describes.
var errTooLarge = errors.New("larger than the limit")

// repository reads from one repository, with one credential. Its mirrors are tried first, in their order.
type repository struct {
	// remotes are the mirrors and, as the last one, the repository itself.
	remotes []*remote.Repository
	close   func()
}

// resolve returns the descriptor of a tag or a digest.
func (r *repository) resolve(ctx context.Context, reference string) (d ocispec.Descriptor, err error) {
	err = r.try(ctx, func(ctx context.Context, from *remote.Repository) error {
		ctx, cancel := context.WithTimeout(ctx, metadataTimeout)
		defer cancel()
		d, err = from.Manifests().Resolve(ctx, reference)
		return err
	})
	return d, err
}

// exists returns an error unless the repository has the content of a descriptor.
func (r *repository) exists(ctx context.Context, d ocispec.Descriptor) error {
	return r.try(ctx, func(ctx context.Context, from *remote.Repository) error {
		ctx, cancel := context.WithTimeout(ctx, metadataTimeout)
		defer cancel()
		var err error
		if isManifest(d) {
			_, err = from.Manifests().Resolve(ctx, d.Digest.String())
		} else {
			_, err = from.Blobs().Resolve(ctx, d.Digest.String())
		}
		return err
	})
}

// read returns the content of a descriptor, which it verifies.
func (r *repository) read(ctx context.Context, d ocispec.Descriptor) (out []byte, err error) {
	err = r.try(ctx, func(ctx context.Context, from *remote.Repository) error {
		out, err = download(ctx, from, d)
		return err
	})
	return out, err
}

// try calls a function for each remote until one succeeds. If none does, it returns the errors of all, the last of
// which is that of the repository itself.
func (r *repository) try(ctx context.Context, do func(context.Context, *remote.Repository) error) error {
	var failed []error
	for i, from := range r.remotes {
		err := do(ctx, from)
		if err == nil {
			return nil
		}
		if i < len(r.remotes)-1 {
			err = fmt.Errorf("mirror %s: %w", from.Reference.Registry, err)
		}
		failed = append([]error{err}, failed...)
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failed...)
}

func download(ctx context.Context, from *remote.Repository, d ocispec.Descriptor) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, blobTimeout)
	defer cancel()
	body, err := from.Fetch(ctx, d)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	watched := newStallReader(body, cancel)
	defer watched.stop()
	out, err := content.ReadAll(watched, d)
	if err != nil && watched.stalled() {
		return nil, errStalled
	}
	return out, err
}

// isManifest reports whether a descriptor is that of a manifest or an index, which registries serve at another path
// than blobs.
func isManifest(d ocispec.Descriptor) bool {
	switch d.MediaType {
	case ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex,
		"application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.distribution.manifest.list.v2+json":
		return true
	}
	return false
}

// checkDigest returns an error if a digest is not SHA-256, the only algorithm that the cache has.
func checkDigest(d digest.Digest) error {
	if err := d.Validate(); err != nil {
		return err
	}
	if d.Algorithm() != digest.SHA256 {
		return fmt.Errorf("the digest %s is not SHA-256", d)
	}
	return nil
}

// errStalled means that a registry sent nothing for a while.
var errStalled = fmt.Errorf("the registry sent nothing for %s", stallTimeout)

// stallReader cancels a download when nothing arrives for stallTimeout.
type stallReader struct {
	io.Reader

	timer *time.Timer
	hit   chan struct{}
}

func newStallReader(r io.Reader, cancel context.CancelFunc) *stallReader {
	s := &stallReader{Reader: r, hit: make(chan struct{})}
	s.timer = time.AfterFunc(stallTimeout, func() {
		close(s.hit)
		cancel()
	})
	return s
}

// Read implements io.Reader.
func (s *stallReader) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if n > 0 && !s.stalled() && s.timer.Stop() {
		s.timer.Reset(stallTimeout)
	}
	return n, err
}

func (s *stallReader) stop() { s.timer.Stop() }

func (s *stallReader) stalled() bool {
	select {
	case <-s.hit:
		return true
	default:
		return false
	}
}
