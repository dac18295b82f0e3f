// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"

	"github.com/k1s-io/k1s/internal/plugin"
)

// runner runs one revision: a pool of instances of one module with one plugin's settings and host.
type runner struct {
	pool   *pool
	limits plugin.Limits
	host   plugin.Host
}

func newRunner(e *Engine, code *compiled, req plugin.LoadRequest) *runner {
	return &runner{
		limits: req.Limits,
		host:   req.Host,
		pool: newPool(poolOptions{
			size: req.Limits.MaxInstances,
			idle: req.Limits.IdleTimeout,
			make: func(ctx context.Context) (*instance, error) { return e.instantiate(ctx, code, req) },
			done: code.release,
		}),
	}
}

// Call implements plugin.Runner.
func (r *runner) Call(ctx context.Context, call plugin.Call) ([]byte, error) {
	in, err := r.pool.acquire(ctx)
	if err != nil {
		return nil, instanceError(call.Export, err)
	}
	// Closing the revision cuts its calls off.
	ctx, cancel := context.WithTimeout(ctx, r.limits.CallTimeout)
	stop := context.AfterFunc(r.pool.open, cancel)
	in.host = r.host
	reply, err := in.call(ctx, call.Export, call.Input)
	in.host = nil
	stop()
	cancel()
	// Only an answer proves that the instance is as it should be.
	r.pool.release(in, err == nil || plugin.KindOf(err) == plugin.KindGuest)
	if err != nil && r.pool.open.Err() != nil {
		return nil, &plugin.CallError{Kind: plugin.KindClosed, Export: call.Export, Err: err}
	}
	return reply, err
}

// Close implements plugin.Runner.
func (r *runner) Close(ctx context.Context) error {
	r.pool.close(ctx)
	return nil
}
