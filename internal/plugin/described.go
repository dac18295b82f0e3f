// SPDX-License-Identifier: Apache-2.0

package plugin

import "k8s.io/utils/lru"

// maxDescribed is how many modules' metadata are remembered; each has at most abi.MaxMetadata bytes.
const maxDescribed = 256

// Described remembers the metadata of modules, those of the last ones that were loaded. It is safe for concurrent
// use; nil remembers nothing.
type Described struct{ cache *lru.Cache }

// NewDescribed makes a Described that knows nothing yet.
func NewDescribed() *Described { return &Described{cache: lru.New(maxDescribed)} }

// Remember keeps a module's metadata, which must not be changed any more.
func (d *Described) Remember(digest Digest, m Metadata) {
	if d != nil {
		d.cache.Add(digest, m)
	}
}

// Known returns the metadata of a module, if it is remembered.
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
