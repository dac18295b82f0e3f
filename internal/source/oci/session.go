// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"k8s.io/utils/clock"

	"github.com/k1s-io/k1s/internal/source/oci/blobs"
)

// session reads what a namespace may read from one repository: from the cache, or else from the registry. It implements
// artifact.Reader. It is closed after the last content was used.
type session struct {
	cache   *blobs.Dir
	scope   *scope
	pulls   *pulls
	clock   clock.PassiveClock
	account *account
	// owner pins what is read from the repository: until the module is used, nothing else keeps it in the cache.
	owner blobs.Owner
	// namespace wants the content. registry and place are the registry and the repository that it comes from.
	namespace, registry, place string
	// repository is nil if only the cache is to be read.
	repository *repository
	// held release what the content that was read last takes.
	held []func()
}

// account counts what a pull takes.
type account struct {
	// bytes were downloaded, and hits were in the cache.
	bytes, hits int64
	// read are the digests of both.
	read []digest.Digest
}

// Read returns the content of a descriptor of at most limit bytes. Without a repository, it returns blobs.ErrMissing
// for what the cache does not have, or what the namespace has not been allowed to read.
func (s *session) Read(ctx context.Context, d ocispec.Descriptor, limit int64) ([]byte, error) {
	s.close()
	if err := checkSize(d, limit); err != nil {
		return nil, err
	}
	if err := checkDigest(d.Digest); err != nil {
		return nil, err
	}
	s.account.read = append(s.account.read, d.Digest)
	if s.repository == nil {
		if !s.scope.mayRead(d.Digest) {
			return nil, blobs.ErrMissing
		}
		return s.cached(d)
	}
	s.cache.Pin(s.owner, s.scope.name, s.account.read)
	if out, err := s.proven(ctx, d); !errors.Is(err, blobs.ErrMissing) {
		return out, err
	}
	release, err := s.pulls.join(ctx, blobKey{s.place, d.Digest})
	if err != nil {
		return nil, err
	}
	defer release()
	if out, err := s.proven(ctx, d); !errors.Is(err, blobs.ErrMissing) { // somebody else has downloaded it
		return out, err
	}
	return s.download(ctx, d)
}

// download returns content from the registry, which it keeps.
func (s *session) download(ctx context.Context, d ocispec.Descriptor) ([]byte, error) {
	done, err := s.pulls.reserve(ctx, s.namespace, d.Size)
	if err != nil {
		return nil, err
	}
	s.held = append(s.held, done)
	out, err := s.repository.read(ctx, d)
	if err != nil {
		return nil, err
	}
	s.account.bytes += int64(len(out))
	s.scope.allow(d.Digest, s.clock.Now())
	if err := (origins{s.cache}).add(d.Digest, s.registry); err != nil {
		return nil, unwritable(err)
	}
	// Without space for it, the artifact is pulled again when it is needed.
	if err := s.cache.Keep(d.Digest, out); err != nil {
		return nil, unwritable(err)
	}
	return out, s.search(ctx)
}

// search waits until content can be searched, which takes a multiple of its size of memory if it is compressed. Manifests
// wait, too: whoever pushes an artifact chooses the media types of its layers. No registry can make a search slow.
func (s *session) search(ctx context.Context) error {
	done, err := s.pulls.search(ctx)
	if err == nil {
		s.held = append(s.held, done)
	}
	return err
}

// close releases what the last content takes, which is not used any more.
func (s *session) close() {
	for _, release := range s.held {
		release()
	}
	s.held = nil
}

func checkSize(d ocispec.Descriptor, limit int64) error {
	if d.Size > limit || d.Size < 0 {
		return fmt.Errorf("%s of %d bytes: %w of %d bytes", d.Digest, d.Size, errTooLarge, limit)
	}
	return nil
}

// proven returns content from the cache. If the namespace has not been allowed to read it, the registry is asked, if it is
// one that the content has come from. From another one, it has to be downloaded, which proves that it is there.
func (s *session) proven(ctx context.Context, d ocispec.Descriptor) ([]byte, error) {
	if !s.cache.Has(d.Digest) {
		return nil, blobs.ErrMissing
	}
	if !s.scope.mayRead(d.Digest) {
		if !slices.Contains(origins{s.cache}.of(d.Digest), s.registry) {
			return nil, blobs.ErrMissing
		}
		switch err := s.repository.exists(ctx, d); {
		case isAboutHEAD(err): // the download shows it
			return nil, blobs.ErrMissing
		case err != nil:
			return nil, err
		}
		s.scope.allow(d.Digest, s.clock.Now())
	}
	if err := s.search(ctx); err != nil {
		return nil, err
	}
	out, err := s.cached(d)
	if err != nil {
		s.close()
	}
	return out, err
}

// cached returns content from the cache.
func (s *session) cached(d ocispec.Descriptor) ([]byte, error) {
	out, err := s.cache.Blob(d.Digest)
	if err != nil {
		return nil, err
	}
	if int64(len(out)) != d.Size {
		return nil, fmt.Errorf("%w: the manifest describes %s with %d bytes, but it has %d", errDiffers, d.Digest, d.Size, len(out))
	}
	s.account.hits++
	return out, nil
}

// provenFor is how long the registry is not asked again whether a namespace may read what it has pulled.
const provenFor = time.Hour
