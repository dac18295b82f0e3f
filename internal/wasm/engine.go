// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/tetratelabs/wazero"

	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/wasm/compiler"
	"github.com/k1s-io/k1s/internal/wasm/wasi"
)

// pageSize is the size of a WebAssembly page in bytes.
const pageSize = 64 << 10

// closeTimeout bounds how long Close waits for guests to leave their code.
const closeTimeout = 5 * time.Second

// Options configure an Engine.
type Options struct {
	// CacheDir keeps compiled code across restarts. Whoever can write it owns the process, so it
	// belongs to the operator alone: one that others can write is refused. It is made if it is not there. Empty
	// keeps compiled code in memory only.
	CacheDir string
	// MaxCacheBytes bounds what is kept in CacheDir, but for what is being compiled; 0 means DefaultMaxCacheBytes.
	MaxCacheBytes int64
	// Compiler is the program whose main calls compiler.Dispatch: modules are compiled in a process of it that has limits
	// of time and memory. Empty compiles in this process, which nothing can stop.
	Compiler string
	// MaxCompileTime and MaxCompileMemory are the processor time that such a process may take, to which the module's
	// size adds, and the bytes that it may hold; 0 means compiler.DefaultCPU and compiler.DefaultMemory.
	MaxCompileTime   time.Duration
	MaxCompileMemory int64
	// ParallelCompiles is how many modules are compiled at once; 0 means 1.
	ParallelCompiles int
	// InitializeTimeout bounds the initialization of an instance and its health check, where it is less than the timeout
	// of calls; 0 leaves it to that.
	InitializeTimeout time.Duration
	// MaxMemory and MaxNamespaceMemory are how many bytes of linear memory all instances may hold, and those of the plugins
	// of one namespace; 0 is no limit.
	MaxMemory, MaxNamespaceMemory uint64
	// RestAfter is how long a revision without instances keeps its image and its code, which can be read again from
	// CacheDir; 0 means 30 s. Without CacheDir they are always kept.
	RestAfter time.Duration
	// Log gets what guests log and write to their standard output and error.
	Log logr.Logger
	// Metrics gets what the engine measures; nil forgets it.
	Metrics plugin.EngineMetrics
}

// Engine runs guests. All of them share one wazero runtime, so that identical modules share their code.
type Engine struct {
	runtime wazero.Runtime
	cache   wazero.CompilationCache
	modules *moduleCache
	// artifacts are what modules is filled from.
	artifacts artifactCache
	cacheSize cacheSize
	metrics   plugin.EngineMetrics
	wasi      map[string]wasi.Function
	log       logr.Logger
	// cacheDir is the directory of cache, and temporary whether it goes with the engine.
	cacheDir  string
	temporary bool
	// compiler is nil where modules are compiled in this process.
	compiler *compiler.Process
	// restAfter and initializeTimeout are those of Options.
	restAfter, initializeTimeout time.Duration
	budget                       budget
	turns                        turns
	// runners counts the revisions that may still run code.
	runners sync.WaitGroup
}

// New makes an engine.
func New(ctx context.Context, o Options) (*Engine, error) {
	config := compiler.Config()
	e := &Engine{wasi: wasi.Functions(), log: o.Log, cacheDir: o.CacheDir, artifacts: artifactCache{dir: o.CacheDir}, metrics: o.Metrics, restAfter: o.RestAfter}
	e.turns = newTurns(runtime.GOMAXPROCS(0))
	e.initializeTimeout, e.budget.total, e.budget.perNamespace = o.InitializeTimeout, o.MaxMemory, o.MaxNamespaceMemory
	e.cacheSize.dir, e.cacheSize.most, e.cacheSize.log = o.CacheDir, cmp.Or(o.MaxCacheBytes, DefaultMaxCacheBytes), o.Log
	if e.restAfter == 0 {
		e.restAfter = restAfter
	}
	if e.metrics == nil {
		e.metrics = plugin.NoEngineMetrics{}
	}
	if o.CacheDir != "" {
		if err := secureCacheDir(o.CacheDir, o.Log); err != nil {
			return nil, fmt.Errorf("open the compilation cache %q: %w", o.CacheDir, err)
		}
	} else if o.Compiler != "" { // native code comes from the other process through files
		dir, err := os.MkdirTemp("", "k1s-compiled-")
		if err != nil {
			return nil, fmt.Errorf("make a directory for compiled code: %w (--cache-dir names one that can be written)", err)
		}
		e.cacheDir, e.temporary, e.cacheSize.dir = dir, true, dir
	}
	if o.Compiler != "" {
		e.compiler = &compiler.Process{Path: o.Compiler, CacheDir: e.cacheDir, CPU: o.MaxCompileTime, Memory: o.MaxCompileMemory}
	}
	if e.cacheDir != "" {
		cache, err := wazero.NewCompilationCacheWithDir(e.cacheDir)
		if err != nil {
			return nil, fmt.Errorf("open the compilation cache %q: %w", e.cacheDir, err)
		}
		e.cacheSize.bound() // it may have been larger before
		e.cache = cache
		config = config.WithCompilationCache(cache)
	}
	e.runtime = wazero.NewRuntimeWithConfig(ctx, config)
	e.modules = newModuleCache(e.compile, max(o.ParallelCompiles, 1), e.metrics.Compiled)
	e.modules.linger = min(linger, e.restAfter)
	if err := e.offerImports(ctx); err != nil {
		return nil, errors.Join(err, e.Close(ctx))
	}
	return e, nil
}

// Close releases everything. Runners must be closed before; it waits for their last calls to notice.
func (e *Engine) Close(ctx context.Context) error {
	gone := make(chan struct{})
	go func() {
		e.runners.Wait()
		close(gone)
	}()
	timer := time.NewTimer(closeTimeout)
	defer timer.Stop()
	select {
	case <-gone:
	case <-ctx.Done():
	case <-timer.C:
	}
	e.modules.close(ctx)
	err := e.runtime.Close(ctx)
	if e.cache != nil {
		err = errors.Join(err, e.cache.Close(ctx))
	}
	if e.temporary {
		err = errors.Join(err, os.RemoveAll(e.cacheDir))
	}
	return err
}

// offerImports instantiates the modules that guests may import from, and the one that metered code calls.
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
