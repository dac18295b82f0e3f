// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// fakeHost implements k1s_client_get by a function. Tests do not call its other methods.
type fakeHost struct {
	plugin.Host
	get func(context.Context, abi.ObjectKey) ([]byte, error)
}

func (h fakeHost) Get(ctx context.Context, req abi.ObjectKey) ([]byte, error) { return h.get(ctx, req) }

// withHost sets a host that implements k1s_client_get.
func withHost(get func(context.Context, abi.ObjectKey) ([]byte, error)) func(*plugin.LoadRequest) {
	return func(req *plugin.LoadRequest) { req.Host = fakeHost{get: get} }
}

// blockingHost blocks every k1s_client_get until the test releases it, or until its call ends.
type blockingHost struct {
	entered chan struct{}
	unblock chan struct{}
}

func newBlockingHost() blockingHost {
	return blockingHost{entered: make(chan struct{}, 100), unblock: make(chan struct{})}
}

func (h blockingHost) get(ctx context.Context, _ abi.ObjectKey) ([]byte, error) {
	h.entered <- struct{}{}
	select {
	case <-h.unblock:
		return []byte(`{}`), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
