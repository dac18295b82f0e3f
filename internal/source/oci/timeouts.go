// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"cmp"
	"time"
)

const (
	// pullTimeout limits a pull: its manifests, its blobs and its retries.
	pullTimeout = 10 * time.Minute
	// metadataTimeout limits a request for a manifest, or for whether something exists.
	metadataTimeout = 30 * time.Second
	// blobTimeout limits how long a blob may take in all.
	blobTimeout = 5 * time.Minute
	// stallTimeout limits how long a registry may send nothing while it sends a blob.
	stallTimeout = 30 * time.Second
	// headerTimeout limits how long a registry may take until it begins to respond.
	headerTimeout = 20 * time.Second
	// A request is repeated within a pull after minWait to maxWait.
	minWait, maxWait = 200 * time.Millisecond, 2 * time.Second
)

// timeouts are the limits of waiting. Tests shorten them.
type timeouts struct {
	pull, metadata, blob, stall, header time.Duration
	minWait, maxWait                    time.Duration
}

// orDefaults returns the timeouts, with the constants for those that are 0.
func (t timeouts) orDefaults() timeouts {
	return timeouts{
		pull: cmp.Or(t.pull, pullTimeout), metadata: cmp.Or(t.metadata, metadataTimeout), blob: cmp.Or(t.blob, blobTimeout),
		stall: cmp.Or(t.stall, stallTimeout), header: cmp.Or(t.header, headerTimeout),
		minWait: cmp.Or(t.minWait, minWait), maxWait: cmp.Or(t.maxWait, maxWait),
	}
}
