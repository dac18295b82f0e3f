// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"time"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// Load compiles a module, makes a first instance, asks it for its health and returns what runs it.
// Errors are *plugin.LoadError, or the context's.
func (e *Engine) Load(ctx context.Context, req plugin.LoadRequest) (plugin.Runner, plugin.LoadInfo, error) {
	start := time.Now()
	if _, err := e.check(req.Module.Bytes, req.Limits); err != nil {
		return nil, plugin.LoadInfo{}, err
	}
	code, cached, err := e.modules.acquire(ctx, req.Module)
	if err != nil {
		return nil, plugin.LoadInfo{}, loadError(ctx, pluginsv1alpha1.ReasonCompileFailed, "the module could not be compiled", err)
	}
	req.Module.Bytes = nil // the compiled code holds what is needed
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
	healthy := false
	defer func() { r.pool.release(in, healthy) }()
	if in.function(abi.ExportHealth) != nil {
		ctx, cancel := context.WithTimeout(ctx, r.limits.CallTimeout)
		defer cancel()
		if _, err := in.call(ctx, abi.ExportHealth, nil); err != nil {
			return loadError(ctx, pluginsv1alpha1.ReasonHealthCheckFailed, "the module's health check failed", err)
		}
	}
	healthy = true
	return nil
}
