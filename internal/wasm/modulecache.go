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

// linger is how long compiled code is kept after its last use: a module is described, then loaded,
// and often loaded again with other settings soon after.
const linger = 30 * time.Second

// compileTimeout is long enough for a module of 64 MiB, which takes half a minute on one core, on a
// machine with a tenth of one.
const compileTimeout = 5 * time.Minute

// source is where the artifact of a module comes from.
type source struct {
	// read returns it, and whether it was kept from before.
	read func() (a *artifact, kept bool, err error)
	// keep is called with one that was not, when it has been compiled; it may be nil where all are kept.
	keep func(a *artifact)
}

// moduleCache keeps compiled modules by digest, as long as somebody uses them. One digest is
// compiled by one caller at a time, the others wait for it.
type moduleCache struct {
	compile func(ctx context.Context, a *artifact, kept bool) (wazero.CompiledModule, error)
	// measured gets the time that each module took.
	measured func(d time.Duration, kept bool)
	// linger is how long an entry is kept after its last use.
	linger time.Duration
	// patience is how long one module may take to compile.
	patience time.Duration
	// slots bounds how many compile at once, so that serving goes on meanwhile.
	slots chan struct{}

	mu      sync.Mutex
	entries map[plugin.Digest]*compiled
}

// compiled is one entry. Its users call release when they are done with it.
type compiled struct {
	cache  *moduleCache
	digest plugin.Digest
	// ready is closed when module, artifact, took and kept are set, or err.
	ready  chan struct{}
	module wazero.CompiledModule
	// artifact is what module was compiled from, without the bytes that the compiler got.
	artifact *artifact
	// took is how long it took, and kept whether it was but read again.
	took time.Duration
	kept bool
	err  error

	// cancel ends the compilation.
	cancel context.CancelFunc

	// refs, idle and loaded belong to the cache's lock. idle runs while refs is 0; loaded is set by the
	// first revision.
	refs   int
	idle   *time.Timer
	loaded bool
}

func newModuleCache(compile func(context.Context, *artifact, bool) (wazero.CompiledModule, error), parallel int, measured func(time.Duration, bool)) *moduleCache {
	return &moduleCache{
		compile: compile, measured: measured, linger: linger, patience: compileTimeout,
		slots: make(chan struct{}, parallel), entries: map[plugin.Digest]*compiled{},
	}
}

// acquire returns the compiled module. The source is asked if it is not there.
func (c *moduleCache) acquire(ctx context.Context, digest plugin.Digest, from source) (*compiled, error) {
	c.mu.Lock()
	entry, there := c.entries[digest]
	if !there {
		entry = &compiled{cache: c, digest: digest, ready: make(chan struct{})}
		// Others may wait for this, so the first caller's giving up must not fail it: the last one's does.
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
	switch held := c.entries[entry.digest] == entry; {
	case err != nil && held:
		delete(c.entries, entry.digest) // the next caller tries again
	case err == nil && !held: // every caller gave up long ago
		_ = entry.module.Close(ctx) // it only frees memory
	}
}

// code is what compiling makes.
type code struct {
	module   wazero.CompiledModule
	artifact *artifact
	took     time.Duration
	kept     bool
}

// compileInTime compiles when it is the module's turn. The compiler cannot be stopped, and there are
// modules that keep it busy for hours: after a while it is left to itself, and others get their turn.
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
	timer := time.NewTimer(c.patience)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.code, r.err
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = fmt.Errorf("it takes more than %s: make its functions smaller", c.patience)
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
	a.Module = nil // the compiled code holds what instances need
	a.compact()
	took := time.Since(start)
	c.measured(took, kept)
	return code{module: module, artifact: a, took: took, kept: kept}, nil
}

// firstLoad tells whether the caller is the first revision of this code, and remembers that there is one.
func (m *compiled) firstLoad() bool {
	m.cache.mu.Lock()
	defer m.cache.mu.Unlock()
	first := !m.loaded
	m.loaded = true
	return first
}

// release gives up one use. The code goes a while after the last one.
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
	default: // nobody waits for the compilation any more; fill closes what comes of it
		delete(c.entries, m.digest)
		m.cancel()
	}
}

// drop closes the code, unless somebody has come to use it.
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

// close stops the timers; the runtime closes the code.
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
