// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"context"
	"errors"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ErrNotFound means that a repository does not have a tag or a content.
var ErrNotFound = errors.New("not found in the repository")

// Repository is the part of a repository in a registry, or of its mirror, that signatures are read from. An error that is not ErrNotFound
// is a failure of the registry. It says nothing about the signatures, so the caller is expected to retry.
type Repository interface {
	// Resolve returns the descriptor of a tag, or ErrNotFound.
	Resolve(ctx context.Context, tag string) (ocispec.Descriptor, error)
	// Read returns the content of a descriptor of a manifest or a blob, or ErrNotFound. It checks size and digest, and
	// rejects a content of more than limit bytes before it reads it. It can read it from any place that has it.
	Read(ctx context.Context, d ocispec.Descriptor, limit int64) ([]byte, error)
	// Referrers returns the descriptors of manifests that refer to a subject, at most `most`. It uses the referrers API
	// of OCI 1.1, or the index with the tag <algorithm>-<digest> if the registry does not have the API. If there are no
	// referrers, it returns none, or ErrNotFound.
	Referrers(ctx context.Context, subject ocispec.Descriptor, most int) ([]ocispec.Descriptor, error)
}

// ignoreNotFound returns nil for ErrNotFound, and every other error as it is.
func ignoreNotFound(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
