// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"fmt"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// runner runs one revision: a pool of instances of one module with the settings and the host of one plugin.
type runner struct {
	*revision
	pool *pool
}

func newRunner(r *revision) *runner {
	r.engine.runners.Add(1)
	limits := r.req.Limits
	return &runner{
		revision: r,
		pool: newPool(poolOptions{
			size:    limits.MaxInstances,
			idle:    limits.IdleTimeout,
			perCall: limits.InstancePolicy == plugin.InstancePerCall,
			make:    r.instance,
			done: func() {
				r.close()
				r.engine.runners.Done()
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
	limit := r.req.Limits.CallTimeout
	if call.Timeout > 0 {
		limit = min(limit, call.Timeout)
	}
	run := in.enter(ctx, r.pool.open, limit, r.req.Limits.Fuel)
	in.host = r.req.Host
	if plugin.InAdmission(call.Export) {
		in.host = r.req.Reader
	}
	reply, err := in.call(run, call.Export, call.Input)
	in.host = nil
	run.end()
	r.engine.metrics.Fuel(r.req.Name, call.Export, in.tank.used())
	if err == nil && call.Accept != nil {
		if rejected := call.Accept(reply); rejected != nil {
			reply = nil
			err = &plugin.CallError{Kind: plugin.KindViolation, Export: call.Export, Err: fmt.Errorf("reply: %w", r.req.Redact.Error(rejected))}
		}
	}
	if err == nil {
		reply = cleanWarnings(r.req.Redact, call.Export, reply)
	}
	r.pool.release(in, fit(err))
	return reply, err
}

// fit reports whether an instance can take another call. Only a reply proves that its state is intact.
func fit(err error) bool { return err == nil || plugin.KindOf(err) == plugin.KindGuest }

// Close implements plugin.Runner.
func (r *runner) Close(ctx context.Context) error {
	r.pool.close(ctx)
	return nil
}
