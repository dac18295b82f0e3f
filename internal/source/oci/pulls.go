// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/semaphore"
)

const (
	// smallBytes is the size up to which a download waits for nobody else's memory: maxPulls of them have 96 MiB. A
	// standard Go module has 3 MiB.
	smallBytes = 4 << 20
	// memoryFactor is how many of the largest downloads are in memory at a time, each of another namespace.
	memoryFactor = 2
)

// pulls limits downloads, so that those of one namespace, which a registry can make slow, do not delay those of others.
type pulls struct {
	// digests are downloaded once if several namespaces want them from the same repository at the same time.
	digests locks[blobKey]
	// share is how long a download waits for that of somebody else.
	share time.Duration
	// large has a lock for each namespace with a download of more than smallBytes, and memory is that of all of them.
	large  locks[string]
	memory *semaphore.Weighted
	most   int64
	// searches limits the layers that are uncompressed at a time.
	searches *semaphore.Weighted
}

// blobKey is a digest of a repository. Without the repository, a slow registry could delay those who pull the same
// content from another one.
type blobKey struct {
	repository string
	digest     digest.Digest
}

func newPulls(most int64, share time.Duration) *pulls {
	return &pulls{share: share, memory: semaphore.NewWeighted(memoryFactor * most), most: most, searches: semaphore.NewWeighted(1)}
}

// reserve waits until there is memory for a download of a namespace. The caller calls done.
func (p *pulls) reserve(ctx context.Context, namespace string, size int64) (done func(), err error) {
	if size <= smallBytes {
		return func() {}, nil
	}
	next, err := p.large.acquire(ctx, namespace)
	if err != nil {
		return nil, err
	}
	weight := min(size, p.most)
	if err := p.memory.Acquire(ctx, weight); err != nil {
		next()
		return nil, err
	}
	return func() {
		p.memory.Release(weight)
		next()
	}, nil
}

// search waits until content can be searched, one at a time. The caller calls done.
func (p *pulls) search(ctx context.Context) (done func(), err error) {
	if err := p.searches.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	return func() { p.searches.Release(1) }, nil
}

// join waits for a download that runs already. If that takes long, perhaps because of the limits that the registry has
// for somebody else's credentials, there will be two.
func (p *pulls) join(ctx context.Context, key blobKey) (release func(), err error) {
	short, cancel := context.WithTimeout(ctx, p.share)
	defer cancel()
	release, err = p.digests.acquire(short, key)
	if err != nil && ctx.Err() == nil {
		return func() {}, nil
	}
	return release, err
}
