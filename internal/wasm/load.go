// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"errors"
	"io/fs"
	"time"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/wasm/binary"
	"github.com/k1s-io/k1s/internal/wasm/codecache"
)

// notCompiled explains a failed compilation to the author of the module.
const notCompiled = "the module could not be compiled: build it again, without proposals beyond WebAssembly 2.0"

// Load compiles a module, creates a first instance, checks its health and returns a runner for the module. Errors are
// *plugin.LoadError or the error of the context.
func (e *Engine) Load(ctx context.Context, req plugin.LoadRequest) (plugin.Runner, plugin.LoadInfo, error) {
	outside, err := e.check(req.Module.Bytes, req.Limits)
	if err != nil {
		return nil, plugin.LoadInfo{}, err
	}
	code, err := e.modules.Acquire(ctx, req.Module.Digest, e.source(req.Module, outside))
	if err != nil {
		return nil, plugin.LoadInfo{}, loadError(ctx, pluginsv1alpha1.ReasonCompileFailed, notCompiled, err)
	}
	info := plugin.LoadInfo{Cached: true}
	if code.FirstLoad() { // a moment ago, Describe may have compiled it
		info = plugin.LoadInfo{Compile: code.Took, Cached: code.Kept}
		if !code.Kept {
			e.dir.Bound()
		}
	}
	start := time.Now()
	req.Module.Bytes = nil // instances need only the compiled code
	r := newRunner(newRevision(e, code, req))
	if err := r.warm(ctx); err != nil {
		_ = r.Close(ctx)
		return nil, plugin.LoadInfo{}, err
	}
	info.Compile += time.Since(start)
	info.Exports = exportsOf(outside)
	return r, info, nil
}

// exportsOf returns the names of the functions that a module exports.
func exportsOf(outside *binary.Module) plugin.ExportSet {
	exports := plugin.ExportSet{}
	for _, export := range outside.Exports {
		if export.Kind == binary.ExternFunc {
			exports[export.Name] = true
		}
	}
	return exports
}

// source returns the source of the artifact of a module: the disk or, if it is not there, the bytes of the module. The
// disk holds only artifacts of modules that were compiled.
func (e *Engine) source(module plugin.Module, outside *binary.Module) codecache.Source {
	read := func() (*codecache.Artifact, bool, error) {
		a, err := e.dir.Artifact(module.Digest)
		if err == nil {
			return a, true, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			e.log.Error(err, "A metered module is damaged, and metered anew", "digest", module.Digest.Short())
		}
		a, err = prepare(outside)
		return a, false, err
	}
	keep := func(a *codecache.Artifact) {
		if err := e.dir.Keep(module.Digest, a); err != nil {
			e.log.Error(err, "Cannot keep a metered module", "digest", module.Digest.Short())
		}
	}
	return codecache.Source{Read: read, Keep: keep}
}

// warm creates the first instance and checks its health.
func (r *runner) warm(ctx context.Context) error {
	in, err := r.pool.acquire(ctx)
	if err != nil {
		return err
	}
	defer func() { r.pool.release(in, fit(err)) }()
	if in.function(abi.ExportHealth) == nil {
		return nil
	}
	run := in.enterFor(ctx, r.pool.open, r.engine.initializeLimit(r.req.Limits), r.req.Limits.Fuel)
	defer run.end()
	if _, err = in.call(run, abi.ExportHealth, nil); err != nil {
		return loadError(ctx, pluginsv1alpha1.ReasonHealthCheckFailed, "the module's health check failed, and is retried", err)
	}
	return nil
}
