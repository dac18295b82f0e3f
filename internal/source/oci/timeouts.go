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
	// stallTimeout is the period in which a registry must send something of a blob, on average at least minRate bytes per
	// second. Four downloads at a time, over a link of 512 kbit/s, each get that. A registry that sends a byte from time
	// to time would otherwise keep others waiting until blobTimeout.
	stallTimeout = 30 * time.Second
	minRate      = 16 << 10
	// shareTimeout limits how long a download waits for one of the same content for somebody else.
	shareTimeout = time.Minute
	// headerTimeout limits how long a registry may take until it begins to respond.
	headerTimeout = 20 * time.Second
	// A request is repeated within a pull after minWait to maxWait.
	minWait, maxWait = 200 * time.Millisecond, 2 * time.Second
)

// timeouts are the limits of waiting. Tests shorten them.
type timeouts struct {
	pull, metadata, blob, stall, share, header time.Duration
	minWait, maxWait                           time.Duration
	// rate is in bytes per second.
	rate int64
}

// orDefaults returns the timeouts, with the constants for those that are 0.
func (t timeouts) orDefaults() timeouts {
	return timeouts{
		pull: cmp.Or(t.pull, pullTimeout), metadata: cmp.Or(t.metadata, metadataTimeout), blob: cmp.Or(t.blob, blobTimeout),
		stall: cmp.Or(t.stall, stallTimeout), rate: cmp.Or(t.rate, minRate), share: cmp.Or(t.share, shareTimeout), header: cmp.Or(t.header, headerTimeout),
		minWait: cmp.Or(t.minWait, minWait), maxWait: cmp.Or(t.maxWait, maxWait),
	}
}
