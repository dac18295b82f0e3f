// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"golang.org/x/time/rate"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/wasm/codecache"
	"github.com/k1s-io/k1s/internal/wasm/meter"
)

// initializeLimit returns the limit for the whole initialization of an instance, including its health check.
func (e *Engine) initializeLimit(limits plugin.Limits) limit {
	l := limit{limits.CallTimeout, errTooLong}
	if e.initializeTimeout > 0 && e.initializeTimeout < l.time {
		l = limit{e.initializeTimeout, errInitializeTooLong}
	}
	return l
}

// instantiate creates an instance and initializes it, so that it is ready for calls. The whole initialization must end
// within the timeout of a call or, if it is shorter, the timeout of initializations. Errors are *plugin.LoadError or
// the error of the context.
func (e *Engine) instantiate(ctx context.Context, code *codecache.Code, req plugin.LoadRequest, limiter *rate.Limiter) (*instance, error) {
	in, err := e.bare(ctx, code, req, nil, limiter)
	if err != nil {
		return nil, loadError(ctx, pluginsv1alpha1.ReasonInitializeFailed, "the module could not be instantiated: fix its segments", err)
	}
	run := in.enterFor(ctx, nil, e.initializeLimit(req.Limits), 0)
	defer run.end()
	if err := in.prepare(ctx, run, code.Artifact, req); err != nil {
		in.close(ctx)
		return nil, err
	}
	clear(in.functions) // they hold stacks, and are not called again
	return in, nil
}

// restore creates an instance from an image.
func (e *Engine) restore(ctx context.Context, code *codecache.Code, req plugin.LoadRequest, from *image, limiter *rate.Limiter) (*instance, error) {
	in, err := e.bare(ctx, code, req, from, limiter)
	if err != nil {
		return nil, loadError(ctx, pluginsv1alpha1.ReasonInitializeFailed, "the module could not be instantiated again", err)
	}
	if !in.become(from) {
		err := errNoMemory
		if in.memory.denied != nil {
			err = in.memory.denied
		}
		in.close(ctx)
		return nil, loadError(ctx, pluginsv1alpha1.ReasonInitializeFailed, "the module could not be instantiated again", err)
	}
	return in, nil
}

var errNoMemory = errors.New("the machine has no memory for another instance")

// bare creates an instance in which no code has run.
func (e *Engine) bare(ctx context.Context, code *codecache.Code, req plugin.LoadRequest, from *image, limiter *rate.Limiter) (in *instance, err error) {
	in = newInstance(e.log.WithValues("plugin", req.Name), req.Redact, limiter)
	in.turn.turns = e.turns
	allocator := &memoryAllocator{
		limit: uint64(req.Limits.MaxMemoryPages) * pageSize, from: from,
		count:  func(delta int64) { e.metrics.Memory(req.Name, delta) },
		budget: &e.budget, namespace: req.Limits.Namespace,
	}
	defer func() {
		if fault := recover(); fault != nil { // wazero panics if it gets no memory at all
			err = fmt.Errorf("%w: %v", errNoMemory, fault)
		}
		if err != nil && allocator.memory != nil && allocator.memory.denied != nil {
			err = allocator.memory.denied
		}
		if err != nil {
			allocator.free() // wazero does not free it
			in = nil
		}
	}()
	ctx = experimental.WithMemoryAllocator(context.WithoutCancel(ctx), allocator)
	module, err := e.runtime.InstantiateModule(ctx, code.Module, moduleConfig())
	if err != nil {
		return nil, trap(err)
	}
	in.module, in.memory = module, allocator.memory
	if in.tank, err = newTank(module); err != nil {
		return nil, err
	}
	for _, g := range code.Artifact.Globals {
		global, ok := module.ExportedGlobal(g.Export).(api.MutableGlobal)
		if !ok {
			return nil, fmt.Errorf("the module has no global %q", g.Export)
		}
		in.globals = append(in.globals, global)
	}
	return in, nil
}

// prepare initializes a new instance, up to and including k1s_initialize.
func (in *instance) prepare(parent context.Context, run *callContext, a *codecache.Artifact, req plugin.LoadRequest) error {
	failed := func(message string, err error) error {
		return loadError(parent, pluginsv1alpha1.ReasonInitializeFailed, message, err)
	}
	for _, d := range a.Data {
		if !in.module.Memory().Write(d.Offset, d.Bytes) {
			return failed("the module could not be instantiated: fix its segments",
				fmt.Errorf("a data segment of %d bytes at %d is outside the memory of %d bytes", len(d.Bytes), d.Offset, in.module.Memory().Size()))
		}
	}
	if need, got := max(req.Limits.MinMemoryPages, 1), pages(in.module.Memory()); got < need {
		in.module.Memory().Grow(need - got)
	}
	if a.HasStart {
		in.starting = true
		err := in.runAs(run, meter.ExportStart, "start function")
		in.starting = false
		if err != nil {
			return failed("the module failed to start: fix its start function", err)
		}
	}
	if err := in.run(run, abi.ExportReactorInitialize); err != nil {
		return failed("the module failed to start: fix its _initialize", err)
	}
	var version [1]uint64
	if err := in.function(abi.ExportABIVersion).CallWithStack(run, version[:]); err != nil {
		return failed("the module's version could not be read", in.explain(abi.ExportABIVersion, err))
	}
	if int32(version[0]) != abi.Version {
		return wrongVersion(int32(version[0]))
	}
	if req.Settings == nil || in.function(abi.ExportInitialize) == nil {
		return nil
	}
	if _, err := in.call(run, abi.ExportInitialize, req.Settings); err != nil {
		return failed("the module rejected its settings: change spec.settings, or the module", err)
	}
	return nil
}

// moduleConfig returns a configuration that gives the guest nothing but its memory. Everything else comes from host
// functions.
func moduleConfig() wazero.ModuleConfig {
	return wazero.NewModuleConfig().
		WithName("").        // many instances of one module
		WithStartFunctions() // prepare calls them, so that it gets their errors
}
