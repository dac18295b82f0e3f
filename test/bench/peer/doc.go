// SPDX-License-Identifier: Apache-2.0

// Package peer does the same work in other ways: natively, in a process behind hashicorp/go-plugin, and
// in a guest of Extism. Everything that costs per call is in the call, and everything that can be kept
// from call to call is kept.
package peer

import "context"

// Peer is a way to do the work.
type Peer interface {
	// Reconcile takes the request in JSON and returns the reply.
	Reconcile(ctx context.Context, input []byte) ([]byte, error)
	// Close ends it.
	Close() error
}
