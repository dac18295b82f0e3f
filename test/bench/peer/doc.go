// SPDX-License-Identifier: Apache-2.0

// Package peer implements the work of the benchmark in other ways: natively, in a process behind hashicorp/go-plugin,
// and in a guest of Extism. A call includes every cost that occurs per call, and everything that can be kept between
// calls is kept.
package peer

import "context"

// Peer is an implementation of the work.
type Peer interface {
	// Reconcile takes the request in JSON and returns the reply.
	Reconcile(ctx context.Context, input []byte) ([]byte, error)
	// Close releases the resources of the peer.
	Close() error
}
