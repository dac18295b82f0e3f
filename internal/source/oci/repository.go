// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/registry/remote"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// maxMetadata limits manifests and lists. The distribution specification suggests 4 MiB.
const maxMetadata = 4 << 20

// errTooLarge means that a descriptor exceeds the limit for what it describes.
var errTooLarge = errors.New("larger than the limit")

// repository reads from one repository, with one credential. Its mirrors are tried first, in their order.
type repository struct {
	// remotes are the mirrors and, as the last one, the repository itself.
	remotes []*remote.Repository
	// mirrors is how many of remotes are mirrors.
	mirrors int
	// credentials is how many there are for each of remotes.
	credentials []int
	timeouts    timeouts
	close       func()
}

// only returns the repository with one of its remotes.
func (r *repository) only(i int) *repository {
	out := *r
	out.remotes, out.credentials, out.mirrors = r.remotes[i:i+1], r.credentials[i:i+1], min(max(r.mirrors-i, 0), 1)
	return &out
}

// resolve returns the descriptor of a tag or a digest.
func (r *repository) resolve(ctx context.Context, reference string) (d ocispec.Descriptor, err error) {
	err = r.try(ctx, func(ctx context.Context, from *remote.Repository) error {
		ctx, cancel := context.WithTimeout(ctx, r.timeouts.metadata)
		defer cancel()
		d, err = from.Manifests().Resolve(ctx, reference)
		if isAboutHEAD(err) {
			d, err = getManifest(ctx, from, reference)
		}
		return err
	})
	return d, err
}

// exists returns an error unless the repository has the content of a descriptor. If isAboutHEAD reports true for it, only
// the content itself can show that.
func (r *repository) exists(ctx context.Context, d ocispec.Descriptor) error {
	if isManifest(d) {
		_, err := r.resolve(ctx, d.Digest.String())
		return err
	}
	return r.try(ctx, func(ctx context.Context, from *remote.Repository) error {
		ctx, cancel := context.WithTimeout(ctx, r.timeouts.metadata)
		defer cancel()
		_, err := from.Blobs().Resolve(ctx, d.Digest.String())
		return err
	})
}

// read returns the content of a descriptor, which it verifies.
func (r *repository) read(ctx context.Context, d ocispec.Descriptor) (out []byte, err error) {
	err = r.try(ctx, func(ctx context.Context, from *remote.Repository) error {
		out, err = r.download(ctx, from, d)
		return err
	})
	return out, err
}

// try calls a function for each remote until one succeeds. If none does, it returns the errors of all, the first of
// which is that of the last remote, or that of the context if it has ended.
func (r *repository) try(ctx context.Context, do func(context.Context, *remote.Repository) error) error {
	var failed []error
	for i, from := range r.remotes {
		err := do(ctx, from)
		if err == nil {
			return nil
		}
		if i < r.mirrors {
			err = mirrorError{host: from.Reference.Registry, credentials: r.credentials[i], cause: err}
		}
		failed = append([]error{err}, failed...)
		if ctx.Err() != nil {
			return attempts{failed: append([]error{context.Cause(ctx)}, failed...), ended: true}
		}
	}
	return attempts{failed: failed}
}

func (r *repository) download(ctx context.Context, from *remote.Repository, d ocispec.Descriptor) ([]byte, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ctx, end := context.WithTimeout(ctx, r.timeouts.blob)
	defer end()
	late := time.AfterFunc(r.timeouts.metadata, func() { cancel(errLate) })
	body, err := from.Fetch(ctx, d)
	late.Stop()
	if err != nil {
		return nil, cmp.Or(context.Cause(ctx), err)
	}
	defer body.Close()
	paced := &paceReader{Reader: body}
	go paced.watch(ctx, r.timeouts.stall, r.timeouts.rate, cancel)
	out, err := content.ReadAll(paced, d)
	if err != nil {
		return nil, cmp.Or(context.Cause(ctx), err)
	}
	return out, nil
}

// manifestTypes returns the media types of manifests and indexes.
func manifestTypes() []string {
	return []string{
		ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex,
		"application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.distribution.manifest.list.v2+json",
	}
}

// isManifest reports whether a descriptor is that of a manifest or an index, which registries serve at another path
// than blobs.
func isManifest(d ocispec.Descriptor) bool { return slices.Contains(manifestTypes(), d.MediaType) }

// checkDigest returns an error if a digest is not SHA-256, the only algorithm that the cache has.
func checkDigest(d digest.Digest) error {
	if err := d.Validate(); err != nil {
		return err
	}
	if d.Algorithm() != digest.SHA256 {
		return plugin.Reject(pluginsv1alpha1.ReasonInvalidManifest, "the digest %s is not SHA-256, the only algorithm that the operator supports", d)
	}
	return nil
}
