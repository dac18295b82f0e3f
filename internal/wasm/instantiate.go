// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// instantiate makes an instance and brings it to where it can take calls. The whole of it must be
// done within one call's timeout. Errors are *plugin.LoadError, or the context's.
func (e *Engine) instantiate(ctx context.Context, code *compiled, req plugin.LoadRequest) (*instance, error) {
	parent := ctx
	ctx, cancel := context.WithTimeout(ctx, req.Limits.CallTimeout)
	defer cancel()

	in := newInstance(e.log.WithValues("plugin", req.Name))
	ctx = in.enter(ctx)
	ctx = experimental.WithMemoryAllocator(ctx, memoryLimit(req.Limits.MaxMemoryPages))
	module, err := e.runtime.InstantiateModule(ctx, code.module, moduleConfig(in))
	if err != nil {
		in.finish()
		return nil, loadError(parent, pluginsv1alpha1.ReasonInitializeFailed,
			"the module could not be instantiated: mend its start function and segments", in.explain(ctx, "start function", err))
	}
	in.module = module
	if err := in.prepare(ctx, parent, req); err != nil {
		in.close(parent)
		return nil, err
	}
	return in, nil
}

// prepare runs a new instance up to k1s_initialize.
func (in *instance) prepare(ctx, parent context.Context, req plugin.LoadRequest) error {
	if need := max(req.Limits.MinMemoryPages, 1); in.module.Memory().Size()/pageSize < need {
		in.module.Memory().Grow(need - in.module.Memory().Size()/pageSize)
	}
	if err := in.run(ctx, abi.ExportReactorInitialize); err != nil {
		return loadError(parent, pluginsv1alpha1.ReasonInitializeFailed, "the module failed to start: mend its _initialize", err)
	}
	var version [1]uint64
	if err := in.function(abi.ExportABIVersion).CallWithStack(ctx, version[:]); err != nil {
		return loadError(parent, pluginsv1alpha1.ReasonInitializeFailed,
			"the module's version could not be read", in.explain(ctx, abi.ExportABIVersion, err))
	}
	if int32(version[0]) != abi.Version {
		return wrongVersion(int32(version[0]))
	}
	if req.Settings == nil || in.function(abi.ExportInitialize) == nil {
		return nil
	}
	if _, err := in.call(ctx, abi.ExportInitialize, req.Settings); err != nil {
		return loadError(parent, pluginsv1alpha1.ReasonInitializeFailed, "the module refused its settings: change spec.settings, or the module", err)
	}
	return nil
}

// moduleConfig is what WASI offers: real clocks and randomness, output to the log, nothing else.
func moduleConfig(in *instance) wazero.ModuleConfig {
	return wazero.NewModuleConfig().
		WithName("").         // many instances of one module
		WithStartFunctions(). // prepare runs them, so that it sees their errors
		WithSysWalltime().
		WithSysNanotime().
		WithNanosleep(in.sleep).
		WithRandSource(rand.Reader).
		WithStdout(in.stdout).
		WithStderr(in.stderr)
}

// sleep sleeps for a guest. One whose time runs out in here is stopped here.
func (in *instance) sleep(ns int64) {
	timer := time.NewTimer(time.Duration(ns))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-in.running.Done():
		panic(timeout(in.running, ""))
	}
}

// memoryLimit is an allocator that refuses to grow a memory beyond a number of pages.
type memoryLimit uint32

// Allocate implements experimental.MemoryAllocator.
func (m memoryLimit) Allocate(capacity, _ uint64) experimental.LinearMemory {
	limit := uint64(m) * pageSize
	return &linearMemory{limit: limit, bytes: make([]byte, 0, min(capacity, limit))}
}

// linearMemory is a memory on the Go heap.
type linearMemory struct {
	limit uint64
	bytes []byte
}

// Reallocate implements experimental.LinearMemory.
func (m *linearMemory) Reallocate(size uint64) []byte {
	if size > m.limit {
		return nil
	}
	if size > uint64(cap(m.bytes)) {
		// Guests that grow page by page must not have everything copied for each.
		grown := make([]byte, size, min(max(size, 2*uint64(cap(m.bytes))), m.limit))
		copy(grown, m.bytes)
		m.bytes = grown
	}
	m.bytes = m.bytes[:size]
	return m.bytes
}

// Free implements experimental.LinearMemory.
func (m *linearMemory) Free() { m.bytes = nil }
