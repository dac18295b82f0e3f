// SPDX-License-Identifier: Apache-2.0

// Package peer implements the work of the benchmark in other ways: natively, in a process behind hashicorp/go-plugin,
// and in a guest of Extism. A call includes every cost that occurs per call, and everything that can be kept between
// calls is kept.
package peer

import (
	"context"

	"github.com/k1s-io/k1s/test/bench/work"
)

// Peer is an implementation of the work.
type Peer interface {
	// Reconcile takes the request in JSON and returns the reply.
	Reconcile(ctx context.Context, input []byte) ([]byte, error)
	// Close releases the resources of the peer.
	Close() error
}

// Native does the work in a Go function call, with encoding/json.
type Native struct{ Category []byte }

// Reconcile implements Peer.
func (n Native) Reconcile(_ context.Context, input []byte) ([]byte, error) {
	return work.Run(input, func([]byte) ([]byte, error) { return n.Category, nil })
}

// Close implements Peer.
func (Native) Close() error { return nil }
