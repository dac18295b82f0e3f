// SPDX-License-Identifier: Apache-2.0

package peer

import (
	"context"

	"github.com/k1s-io/k1s/test/bench/work"
)

// Native does the work in a Go function call, with encoding/json.
type Native struct{ Category []byte }

// Reconcile implements Peer.
func (n Native) Reconcile(_ context.Context, input []byte) ([]byte, error) {
	return work.Run(input, func([]byte) ([]byte, error) { return n.Category, nil })
}

// Close implements Peer.
func (Native) Close() error { return nil }
