// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/tetratelabs/wazero"

	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/wasm/codecache"
	"github.com/k1s-io/k1s/internal/wasm/compiler"
	"github.com/k1s-io/k1s/internal/wasm/wasi"
)

// pageSize is the size of a WebAssembly page in bytes.
const pageSize = 64 << 10

// DefaultMaxCacheBytes is the default limit of the cache directory. It holds the native code of about forty Go guests,
// or of thousands of small ones.
const DefaultMaxCacheBytes = 512 << 20

// closeTimeout limits how long Close waits for running guests to return.
const closeTimeout = 5 * time.Second

// Options configure an Engine.
type Options struct {
	// CacheDir is the directory that keeps compiled code across restarts. Whoever can write it controls the process, so
	// it must belong to the operator alone: New returns an error if other users can write it. It is created if it does
	// not exist. If it is empty, compiled code is kept in memory only.
	CacheDir string
	// MaxCacheBytes limits the size of CacheDir, except for modules that are being compiled. 0 means
	// DefaultMaxCacheBytes.
	MaxCacheBytes int64
	// Compiler is the path of a program whose main calls compiler.Dispatch. Modules are compiled in a separate process
	// that runs it with limits for time and memory. If it is empty, modules are compiled in this process, where a
	// compilation cannot be stopped.
	Compiler string
	// MaxCompileTime and MaxCompileMemory limit the processor time of such a process, to which the size of the module
	// adds, and its memory in bytes. 0 means compiler.DefaultCPU and compiler.DefaultMemory.
	MaxCompileTime   time.Duration
	MaxCompileMemory int64
	// ParallelCompiles is how many modules are compiled at the same time. 0 means 1.
	ParallelCompiles int
	// InitializeTimeout limits the initialization of an instance and its health check if it is shorter than the timeout
	// of calls. 0 means the timeout of calls.
	InitializeTimeout time.Duration
	// MaxMemory and MaxNamespaceMemory limit the linear memory in bytes of all instances, and of the instances of the
	// plugins of one namespace. 0 means no limit.
	MaxMemory, MaxNamespaceMemory uint64
	// RestAfter is how long a revision without instances keeps its image and its code in memory. Both can be read again
	// from CacheDir. 0 means 30 s. Without CacheDir they are never released.
	RestAfter time.Duration
	// Log receives what guests log and what they write to standard output and standard error.
	Log logr.Logger
	// Metrics records the measurements of the engine. nil discards them.
	Metrics plugin.EngineMetrics
}

// Engine runs guests. All guests share one wazero runtime, so that identical modules share their compiled code.
type Engine struct {
	runtime wazero.Runtime
	cache   wazero.CompilationCache
	modules *codecache.Modules
	// dir is the directory of cache, from which modules is filled. It is nil if there is none.
	dir     *codecache.Dir
	metrics plugin.EngineMetrics
	wasi    map[string]wasi.Function
	log     logr.Logger
	// compiler is nil if modules are compiled in this process.
	compiler *compiler.Process
	// restAfter and initializeTimeout come from Options.
	restAfter, initializeTimeout time.Duration
	budget                       budget
	turns                        turns
	// runners counts the revisions that may still run code.
	runners sync.WaitGroup
}

// New returns a new engine.
func New(ctx context.Context, o Options) (*Engine, error) {
	config := compiler.Config()
	e := &Engine{wasi: wasi.Functions(), log: o.Log, metrics: o.Metrics, restAfter: o.RestAfter}
	e.turns = newTurns(runtime.GOMAXPROCS(0))
	e.initializeTimeout, e.budget.total, e.budget.perNamespace = o.InitializeTimeout, o.MaxMemory, o.MaxNamespaceMemory
	if e.restAfter == 0 {
		e.restAfter = restAfter
	}
	if e.metrics == nil {
		e.metrics = plugin.NoEngineMetrics{}
	}
	var err error
	if most := cmp.Or(o.MaxCacheBytes, DefaultMaxCacheBytes); o.CacheDir != "" {
		e.dir, err = codecache.Open(o.CacheDir, most, o.Log)
	} else if o.Compiler != "" { // native code comes from the other process through files
		e.dir, err = codecache.OpenTemporary(most, o.Log)
	}
	if err != nil {
		return nil, err
	}
	if o.Compiler != "" {
		e.compiler = &compiler.Process{Path: o.Compiler, CacheDir: e.dir.Path(), CPU: o.MaxCompileTime, Memory: o.MaxCompileMemory}
	}
	if e.dir != nil {
		cache, err := wazero.NewCompilationCacheWithDir(e.dir.Path())
		if err != nil {
			return nil, fmt.Errorf("open the compilation cache %q: %w", e.dir.Path(), err)
		}
		e.cache = cache
		config = config.WithCompilationCache(cache)
	}
	e.runtime = wazero.NewRuntimeWithConfig(ctx, config)
	e.modules = codecache.NewModules(e.compile, max(o.ParallelCompiles, 1), e.metrics.Compiled)
	e.modules.Linger = min(e.modules.Linger, e.restAfter)
	if err := e.offerImports(ctx); err != nil {
		return nil, errors.Join(err, e.Close(ctx))
	}
	return e, nil
}

// CacheDir returns the directory of the compilation cache, for others who keep files that count for its size. It is nil
// if there is none.
func (e *Engine) CacheDir() *codecache.Dir { return e.dir }

// Close releases all resources of the engine. Runners must be closed before. Close waits until their last calls have
// ended, for at most closeTimeout.
func (e *Engine) Close(ctx context.Context) error {
	closed := make(chan struct{})
	go func() {
		e.runners.Wait()
		close(closed)
	}()
	timer := time.NewTimer(closeTimeout)
	defer timer.Stop()
	select {
	case <-closed:
	case <-ctx.Done():
	case <-timer.C:
	}
	e.modules.Close()
	err := e.runtime.Close(ctx)
	if e.cache != nil {
		err = errors.Join(err, e.cache.Close(ctx))
	}
	return errors.Join(err, e.dir.Close())
}

// offerImports instantiates the modules from which guests can import, and the one that metered code calls.
func (e *Engine) offerImports(ctx context.Context) error {
	if err := instantiateMeter(ctx, e.runtime); err != nil {
		return fmt.Errorf("make the meter's module: %w", err)
	}
	if err := instantiateHost(ctx, e.runtime); err != nil {
		return fmt.Errorf("make the host module: %w", err)
	}
	if err := wasi.Instantiate(ctx, e.runtime, guestFrom); err != nil {
		return fmt.Errorf("make the WASI module: %w", err)
	}
	return nil
}
