// SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"context"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/k1s-io/k1s/internal/plugin"
)

// Reader reads content of a repository by its digest.
type Reader interface {
	// Read returns exactly the bytes that the descriptor describes: it verifies their size and their digest. It rejects a
	// descriptor of more than limit bytes before it reads. The media type distinguishes manifests and indexes from blobs.
	// The caller owns the bytes. It does not use them any more when it reads the next content.
	Read(ctx context.Context, d ocispec.Descriptor, limit int64) ([]byte, error)
}

// Found is a module and its place in the artifact.
type Found struct {
	Format Format
	// Manifest is the manifest of the layer: the one that was asked for, or one of its entries if that is an index.
	Manifest ocispec.Descriptor
	// Layer is the layer that is the module, or an archive with it.
	Layer ocispec.Descriptor
	// Module has the digest of the uncompressed module, which differs from the layer's if that is compressed or an
	// archive. Its Origin names the layer and the file.
	Module plugin.Module
}

// Find returns the only WebAssembly module of at most maxBytes in the artifact with the given manifest or index. It
// rejects every other artifact with a *plugin.LoadError. Errors of the Reader and of the context are returned wrapped.
func Find(ctx context.Context, r Reader, root ocispec.Descriptor, maxBytes int64) (Found, error) {
	return find(ctx, root, &search{reader: r, limits: limitsOf(maxBytes), keep: true})
}

// Locate is like Find, but the module has no bytes: while it searches further layers, it keeps nothing of those before.
func Locate(ctx context.Context, r Reader, root ocispec.Descriptor, maxBytes int64) (Found, error) {
	return find(ctx, root, &search{reader: r, limits: limitsOf(maxBytes)})
}

func find(ctx context.Context, root ocispec.Descriptor, s *search) (Found, error) {
	s.searched = map[searchedLayer]bool{}
	if err := s.manifest(ctx, root, "", 0); err != nil {
		return Found{}, err
	}
	return s.result()
}
