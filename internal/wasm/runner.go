// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"fmt"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// runner runs one revision: a pool of instances of one module with one plugin's settings and host.
type runner struct {
	pool   *pool
	limits plugin.Limits
	host   plugin.Host
}

func newRunner(e *Engine, code *compiled, req plugin.LoadRequest) *runner {
	e.runners.Add(1)
	return &runner{
		limits: req.Limits,
		host:   req.Host,
		pool: newPool(poolOptions{
			size: req.Limits.MaxInstances,
			idle: req.Limits.IdleTimeout,
			make: func(ctx context.Context) (*instance, error) { return e.instantiate(ctx, code, req) },
			done: func() {
				code.release()
				e.runners.Done()
			},
		}),
	}
}

// Call implements plugin.Runner.
func (r *runner) Call(ctx context.Context, call plugin.Call) ([]byte, error) {
	if len(call.Input) > abi.MaxPayload {
		err := fmt.Errorf("a payload of %d bytes is larger than the %d allowed", len(call.Input), abi.MaxPayload)
		return nil, &plugin.CallError{Kind: plugin.KindInput, Export: call.Export, Err: err}
	}
	reply, err := r.call(ctx, call)
	if err != nil && r.pool.open.Err() != nil {
		return nil, &plugin.CallError{Kind: plugin.KindClosed, Export: call.Export, Err: err}
	}
	return reply, err
}

func (r *runner) call(ctx context.Context, call plugin.Call) ([]byte, error) {
	in, err := r.pool.acquire(ctx)
	if err != nil {
		return nil, &plugin.CallError{Kind: plugin.KindInstance, Export: call.Export, Err: fmt.Errorf("get an instance: %w", err)}
	}
	ctx, cancel := context.WithTimeout(ctx, r.limits.CallTimeout)
	stop := r.pool.cutOff(cancel)
	in.host = r.host
	reply, err := in.call(ctx, call.Export, call.Input)
	in.host = nil
	stop()
	cancel()
	if err == nil && call.Accept != nil {
		if refused := call.Accept(reply); refused != nil {
			reply = nil
			err = &plugin.CallError{Kind: plugin.KindViolation, Export: call.Export, Err: fmt.Errorf("reply: %w", refused)}
		}
	}
	r.pool.release(in, fit(err))
	return reply, err
}

// fit says whether an instance can take another call. Only an answer proves that it is as it should be.
func fit(err error) bool { return err == nil || plugin.KindOf(err) == plugin.KindGuest }

// Close implements plugin.Runner.
func (r *runner) Close(ctx context.Context) error {
	r.pool.close(ctx)
	return nil
}
