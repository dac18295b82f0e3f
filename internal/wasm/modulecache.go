// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/k1s-io/k1s/internal/plugin"
)

// linger is how long compiled code is kept after its last use: a module is described, then loaded,
// and often loaded again with other settings soon after.
const linger = 30 * time.Second

// moduleCache keeps compiled modules by digest, as long as somebody uses them. One digest is
// compiled by one caller at a time, the others wait for it.
type moduleCache struct {
	compile func(context.Context, []byte) (wazero.CompiledModule, error)
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

func newModuleCache(compile func(context.Context, []byte) (wazero.CompiledModule, error), parallel int) *moduleCache {
	return &moduleCache{compile: compile, slots: make(chan struct{}, parallel), entries: map[plugin.Digest]*compiled{}}
}

// acquire returns the compiled module and whether it was there already.
func (c *moduleCache) acquire(ctx context.Context, module plugin.Module) (entry *compiled, cached bool, err error) {
	c.mu.Lock()
	entry, cached = c.entries[module.Digest]
	if !cached {
		entry = &compiled{cache: c, digest: module.Digest, ready: make(chan struct{})}
		c.entries[module.Digest] = entry
	}
	entry.refs++
	if entry.idle != nil {
		entry.idle.Stop()
		entry.idle = nil
	}
	c.mu.Unlock()

	if !cached {
		// Others may wait for this, so the first caller's giving up must not fail it.
		go c.fill(context.WithoutCancel(ctx), entry, module.Bytes)
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
	c.slots <- struct{}{}
	defer func() { <-c.slots }()
	entry.module, entry.err = c.compile(ctx, module)
	if entry.err != nil {
		c.mu.Lock()
		delete(c.entries, entry.digest) // the next caller tries again
		c.mu.Unlock()
	}
	close(entry.ready)
}

// release gives up one use. The code goes a while after the last one.
func (m *compiled) release() {
	c := m.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	m.refs--
	if m.refs == 0 && c.entries[m.digest] == m {
		m.idle = time.AfterFunc(linger, m.drop)
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
	default: // still compiling: every caller gave up; fill's result is collected with the runtime
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
