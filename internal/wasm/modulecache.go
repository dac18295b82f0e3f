// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/k1s-io/k1s/internal/plugin"
)

// linger is how long compiled code is kept after its last use: a module is described, then loaded, and often loaded
// again with other settings soon after.
const linger = 30 * time.Second

// compileTimeout is long enough to compile a module of 64 MiB, which takes half a minute on one core, on a machine with
// a tenth of a core.
const compileTimeout = 5 * time.Minute

// source provides the artifact of a module.
type source struct {
	// read returns the artifact, and whether it comes from the cache on disk.
	read func() (a *artifact, kept bool, err error)
	// keep stores an artifact that is not yet on disk, after it was compiled. It may be nil if all artifacts are on
	// disk.
	keep func(a *artifact)
}

// moduleCache caches compiled modules by digest, as long as they are in use. For each digest, one caller compiles at a
// time and the others wait for the result.
type moduleCache struct {
	compile func(ctx context.Context, a *artifact, kept bool) (wazero.CompiledModule, error)
	// measured is called with the time that each module took.
	measured func(d time.Duration, kept bool)
	// linger is how long an entry is kept after its last use.
	linger time.Duration
	// idleTimeout is the time limit for compiling one module.
	idleTimeout time.Duration
	// slots limits how many modules are compiled at the same time, so that calls are still served meanwhile.
	slots chan struct{}

	mu      sync.Mutex
	entries map[plugin.Digest]*compiled
}

// compiled is an entry of the cache. Its users call release when they no longer need it.
type compiled struct {
	cache  *moduleCache
	digest plugin.Digest
	// ready is closed when module, artifact, took and kept are set, or err.
	ready  chan struct{}
	module wazero.CompiledModule
	// artifact is the artifact that module was compiled from, without the bytes for the compiler.
	artifact *artifact
	// took is the time that it took, and kept reports whether the artifact was read from disk.
	took time.Duration
	kept bool
	err  error

	// cancel cancels the compilation.
	cancel context.CancelFunc

	// The lock of the cache protects refs, idle and loaded. idle runs while refs is 0. loaded is set by the first
	// revision.
	refs   int
	idle   *time.Timer
	loaded bool
}

func newModuleCache(compile func(context.Context, *artifact, bool) (wazero.CompiledModule, error), parallel int, measured func(time.Duration, bool)) *moduleCache {
	return &moduleCache{
		compile: compile, measured: measured, linger: linger, idleTimeout: compileTimeout,
		slots: make(chan struct{}, parallel), entries: map[plugin.Digest]*compiled{},
	}
}

// acquire returns the compiled module. If it is not in the cache, acquire compiles the artifact from the source.
func (c *moduleCache) acquire(ctx context.Context, digest plugin.Digest, from source) (*compiled, error) {
	c.mu.Lock()
	entry, there := c.entries[digest]
	if !there {
		entry = &compiled{cache: c, digest: digest, ready: make(chan struct{})}
		// Other callers may wait for the result, so the compilation is canceled when the last caller gives up, not the
		// first.
		work, cancel := context.WithCancel(context.WithoutCancel(ctx))
		entry.cancel = cancel
		c.entries[digest] = entry
		go c.fill(work, entry, from)
	}
	entry.refs++
	if entry.idle != nil {
		entry.idle.Stop()
		entry.idle = nil
	}
	c.mu.Unlock()

	select {
	case <-entry.ready:
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil {
		entry.release()
		return nil, err
	}
	if entry.err != nil {
		entry.release()
		return nil, entry.err
	}
	return entry, nil
}

func (c *moduleCache) fill(ctx context.Context, entry *compiled, from source) {
	defer entry.cancel()
	code, err := c.compileInTime(ctx, from)
	c.mu.Lock()
	defer c.mu.Unlock()
	entry.module, entry.artifact, entry.took, entry.kept, entry.err = code.module, code.artifact, code.took, code.kept, err
	close(entry.ready)
	switch users := c.entries[entry.digest] == entry; {
	case err != nil && users:
		delete(c.entries, entry.digest) // the next caller retries
	case err == nil && !users: // every caller has given up
		_ = entry.module.Close(ctx) // it only frees memory
	}
}

// code is the result of compiling a module.
type code struct {
	module   wazero.CompiledModule
	artifact *artifact
	took     time.Duration
	kept     bool
}

// compileInTime waits for a slot and compiles the module. The compiler cannot be stopped, and some modules keep it busy
// for hours. After c.patience the compilation is abandoned, and its slot becomes free for others.
func (c *moduleCache) compileInTime(ctx context.Context, from source) (_ code, err error) {
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return code{}, ctx.Err()
	}
	defer func() { <-c.slots }()
	type result struct {
		code code
		err  error
	}
	done := make(chan result, 1)
	go func() {
		code, err := c.compileNow(ctx, from)
		done <- result{code, err}
	}()
	timer := time.NewTimer(c.idleTimeout)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.code, r.err
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = fmt.Errorf("it takes more than %s: make its functions smaller", c.idleTimeout)
	}
	go func() {
		if r := <-done; r.err == nil {
			_ = r.code.module.Close(ctx) // it only frees memory
		}
	}()
	return code{}, err
}

func (c *moduleCache) compileNow(ctx context.Context, from source) (code, error) {
	start := time.Now()
	a, kept, err := from.read()
	if err != nil {
		return code{}, err
	}
	module, err := c.compile(ctx, a, kept)
	if err != nil {
		return code{}, err
	}
	if !kept && from.keep != nil {
		from.keep(a)
	}
	a.Module = nil // instances need only the compiled code
	a.compact()
	took := time.Since(start)
	c.measured(took, kept)
	return code{module: module, artifact: a, took: took, kept: kept}, nil
}

// firstLoad reports whether the caller is the first revision of this code, and records that there is one.
func (m *compiled) firstLoad() bool {
	m.cache.mu.Lock()
	defer m.cache.mu.Unlock()
	first := !m.loaded
	m.loaded = true
	return first
}

// release releases one use. The code is closed after a delay when no uses remain.
func (m *compiled) release() {
	c := m.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	m.refs--
	if m.refs > 0 || c.entries[m.digest] != m {
		return
	}
	select {
	case <-m.ready:
		m.idle = time.AfterFunc(c.linger, m.drop)
	default: // no caller waits for the compilation, fill closes its result
		delete(c.entries, m.digest)
		m.cancel()
	}
}

// drop closes the code, unless it is in use again.
func (m *compiled) drop() {
	c := m.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.refs > 0 || c.entries[m.digest] != m {
		return
	}
	delete(c.entries, m.digest)
	if m.module != nil {
		_ = m.module.Close(context.Background()) // it only frees memory
	}
}

// close stops the timers. The runtime closes the code.
func (c *moduleCache) close(context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.entries {
		if m.idle != nil {
			m.idle.Stop()
		}
	}
	c.entries = map[plugin.Digest]*compiled{}
}
