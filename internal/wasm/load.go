// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"time"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// notCompiled is what the engine's refusal means for who built the module.
const notCompiled = "the module could not be compiled: build it again, without proposals beyond WebAssembly 2.0"

// Load compiles a module, makes a first instance, asks it for its health and returns what runs it.
// Errors are *plugin.LoadError, or the context's.
func (e *Engine) Load(ctx context.Context, req plugin.LoadRequest) (plugin.Runner, plugin.LoadInfo, error) {
	start := time.Now()
	module := req.Module
	req.Module.Bytes = nil // the compiled code holds what instances need
	outside, err := e.check(module.Bytes, req.Limits)
	if err != nil {
		return nil, plugin.LoadInfo{}, err
	}
	code, cached, err := e.modules.acquire(ctx, module.Digest, func() []byte { return outside.CapTables(module.Bytes) })
	if err != nil {
		return nil, plugin.LoadInfo{}, loadError(ctx, pluginsv1alpha1.ReasonCompileFailed, notCompiled, err)
	}
	r := newRunner(e, code, req)
	if err := r.warm(ctx); err != nil {
		_ = r.Close(ctx)
		return nil, plugin.LoadInfo{}, err
	}
	return r, plugin.LoadInfo{Compile: time.Since(start), Cached: cached}, nil
}

// warm makes the first instance and checks its health.
func (r *runner) warm(ctx context.Context) error {
	in, err := r.pool.acquire(ctx)
	if err != nil {
		return err
	}
	defer func() { r.pool.release(in, fit(err)) }()
	if in.function(abi.ExportHealth) == nil {
		return nil
	}
	call, cancel := context.WithTimeout(ctx, r.limits.CallTimeout)
	defer cancel()
	if _, err = in.call(call, abi.ExportHealth, nil); err != nil {
		return loadError(ctx, pluginsv1alpha1.ReasonHealthCheckFailed, "the module's health check failed, and is tried again", err)
	}
	return nil
}
