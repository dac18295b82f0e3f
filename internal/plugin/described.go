// SPDX-License-Identifier: Apache-2.0

package plugin

import "k8s.io/utils/lru"

// maxDescribed is the number of modules whose metadata are cached. The metadata of one module have at most
// abi.MaxMetadata bytes.
const maxDescribed = 256

// Described caches the metadata of the most recently loaded modules. It is safe for concurrent use. A nil Described
// caches nothing.
type Described struct{ cache *lru.Cache }

// NewDescribed returns an empty Described.
func NewDescribed() *Described { return &Described{cache: lru.New(maxDescribed)} }

// Remember caches a module's metadata. The caller must not change them afterwards.
func (d *Described) Remember(digest Digest, m Metadata) {
	if d != nil {
		d.cache.Add(digest, m)
	}
}

// Known returns the metadata of a module and reports whether they are cached.
func (d *Described) Known(digest Digest) (Metadata, bool) {
	if d == nil || digest == "" {
		return Metadata{}, false
	}
	m, ok := d.cache.Get(digest)
	if !ok {
		return Metadata{}, false
	}
	return m.(Metadata), true
}
