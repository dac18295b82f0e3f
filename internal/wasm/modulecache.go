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

// compileFunc compiles a module.
type compileFunc func(context.Context, []byte) (wazero.CompiledModule, error)

// moduleCache keeps compiled modules by digest, as long as somebody uses them. One digest is
// compiled by one caller at a time, the others wait for it.
type moduleCache struct {
	compile compileFunc
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
	// ready is closed when module or err is set.
	ready  chan struct{}
	module wazero.CompiledModule
	err    error

	// refs and idle belong to the cache's lock. idle runs while refs is 0.
	refs int
	idle *time.Timer
}

func newModuleCache(compile compileFunc, parallel int) *moduleCache {
	return &moduleCache{
		compile: compile, linger: linger, patience: compileTimeout,
		slots: make(chan struct{}, parallel), entries: map[plugin.Digest]*compiled{},
	}
}

// acquire returns the compiled module and whether it was there already. The bytes are asked for if it
// was not.
func (c *moduleCache) acquire(ctx context.Context, digest plugin.Digest, bytes func() []byte) (entry *compiled, cached bool, err error) {
	c.mu.Lock()
	entry, cached = c.entries[digest]
	if !cached {
		entry = &compiled{cache: c, digest: digest, ready: make(chan struct{})}
		c.entries[digest] = entry
	}
	entry.refs++
	if entry.idle != nil {
		entry.idle.Stop()
		entry.idle = nil
	}
	c.mu.Unlock()

	if !cached {
		// Others may wait for this, so the first caller's giving up must not fail it.
		go c.fill(context.WithoutCancel(ctx), entry, bytes())
	}
	select {
	case <-entry.ready:
	case <-ctx.Done():
		entry.release()
		return nil, false, ctx.Err()
	}
	if entry.err != nil {
		entry.release()
		return nil, false, entry.err
	}
	return entry, cached, nil
}

func (c *moduleCache) fill(ctx context.Context, entry *compiled, module []byte) {
	entry.module, entry.err = c.compileInTime(ctx, module)
	c.mu.Lock()
	defer c.mu.Unlock()
	close(entry.ready)
	switch held := c.entries[entry.digest] == entry; {
	case entry.err != nil && held:
		delete(c.entries, entry.digest) // the next caller tries again
	case entry.err == nil && !held: // every caller gave up long ago
		_ = entry.module.Close(ctx) // it only frees memory
	}
}

// compileInTime compiles when it is the module's turn. The compiler cannot be stopped, and there are
// modules that keep it busy for hours: after a while it is left to itself, and others get their turn.
func (c *moduleCache) compileInTime(ctx context.Context, module []byte) (wazero.CompiledModule, error) {
	c.slots <- struct{}{}
	defer func() { <-c.slots }()
	type result struct {
		module wazero.CompiledModule
		err    error
	}
	done := make(chan result, 1)
	go func() {
		code, err := c.compile(ctx, module)
		done <- result{code, err}
	}()
	timer := time.NewTimer(c.patience)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.module, r.err
	case <-timer.C:
	}
	go func() {
		if r := <-done; r.err == nil {
			_ = r.module.Close(ctx) // it only frees memory
		}
	}()
	return nil, fmt.Errorf("it takes more than %s: make its functions smaller", c.patience)
}

// release gives up one use. The code goes a while after the last one.
func (m *compiled) release() {
	c := m.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	m.refs--
	if m.refs == 0 && c.entries[m.digest] == m {
		m.idle = time.AfterFunc(c.linger, m.drop)
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
	select {
	case <-m.ready:
		if m.module != nil {
			_ = m.module.Close(context.Background()) // it only frees memory
		}
	default: // still compiling: fill closes what nobody waits for
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
