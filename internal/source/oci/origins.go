// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"encoding/json"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/k1s-io/k1s/internal/source/oci/blobs"
)

// maxOrigins limits the registries of a digest that are recorded.
const maxOrigins = 64

// origins records the registries that have sent a content. Only these can let a namespace read the copy in the cache: a
// registry that belongs to a tenant would claim to have everything that others have pulled elsewhere.
type origins struct{ cache *blobs.Dir }

func originsName(d digest.Digest) string { return "origins " + d.String() }

// of returns the registries that have sent the content with a digest.
func (o origins) of(d digest.Digest) (registries []string) {
	if text, err := o.cache.Record(originsName(d)); err == nil {
		_ = json.Unmarshal(text, &registries) // a record in another format counts as none
	}
	return registries
}

// add records that a registry has sent the content with a digest. A record that is lost, as that of one of two downloads
// at a time, costs another download.
func (o origins) add(d digest.Digest, registry string) error {
	known := o.of(d)
	if slices.Contains(known, registry) {
		return nil
	}
	text, err := json.Marshal(append(known[max(0, len(known)-maxOrigins+1):], registry))
	if err != nil {
		return err
	}
	return o.cache.KeepRecord(originsName(d), text)
}
