// SPDX-License-Identifier: Apache-2.0

package decorate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"sync"

	"k8s.io/utils/lru"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// The limits of one revision's cache.
const (
	maxCached      = 1024
	maxCachedBytes = 8 << 20
)

// cacheable reports whether the host may cache the replies of an export for a deterministic module. The reconcile
// export has side effects, and is never cacheable.
func cacheable(export string) bool {
	switch export {
	case abi.ExportValidateCreate, abi.ExportValidateUpdate, abi.ExportSetDefaults:
		return true
	default:
		return false
	}
}

// resultCache caches the replies of one revision of a module that declares itself deterministic. The settings and the
// module are fixed for a revision, so a reply depends only on the export and the input.
type resultCache struct {
	plugin.Runner
	// looked is called for every lookup.
	looked   func(hit bool)
	maxBytes int

	mu    sync.Mutex
	known *lru.Cache
	bytes int
}

// result is a cached reply: bytes, or an error of reason Invalid.
type result struct {
	reply []byte
	err   error
	size  int
}

type cacheKey [sha256.Size]byte

func newResultCache(next plugin.Runner, maxEntries, maxBytes int, looked func(hit bool)) *resultCache {
	c := &resultCache{Runner: next, looked: looked, maxBytes: maxBytes}
	c.known = lru.NewWithEvictionFunc(maxEntries, func(_ lru.Key, value any) {
		if r, ok := value.(*result); ok {
			c.bytes -= r.size // add holds the lock
		}
	})
	return c
}

// Call implements plugin.Runner.
func (c *resultCache) Call(ctx context.Context, call plugin.Call) ([]byte, error) {
	if !cacheable(call.Export) {
		return c.Runner.Call(ctx, call)
	}
	key := keyOf(call)
	r := c.get(key, call.Accept)
	c.looked(r != nil)
	if r != nil {
		return bytes.Clone(r.reply), r.err
	}
	reply, err := c.Runner.Call(ctx, call)
	if err == nil || plugin.IsInvalid(err) {
		c.add(key, reply, err)
	}
	return reply, err
}

func keyOf(call plugin.Call) (key cacheKey) {
	h := sha256.New()
	h.Write([]byte(call.Export))
	h.Write([]byte{0}) // no export name contains it
	h.Write(call.Input)
	h.Sum(key[:0])
	return key
}

// get returns a cached reply that the caller accepts, or nil.
func (c *resultCache) get(key cacheKey, accept func([]byte) error) *result {
	value, ok := c.known.Get(key)
	if !ok {
		return nil
	}
	r, ok := value.(*result)
	if !ok || r.err == nil && accept != nil && accept(r.reply) != nil {
		return nil
	}
	return r
}

// add caches a reply, and evicts as many old ones as needed.
func (c *resultCache) add(key cacheKey, reply []byte, err error) {
	r := &result{reply: bytes.Clone(reply), err: err, size: len(key) + len(reply)}
	var call *plugin.CallError
	if errors.As(err, &call) {
		r.size += len(call.Status.Message)
	}
	if r.size > c.maxBytes {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known.Remove(key) // another caller may have added the same key meanwhile
	c.bytes += r.size
	c.known.Add(key, r)
	for c.bytes > c.maxBytes {
		c.known.RemoveOldest()
	}
}
