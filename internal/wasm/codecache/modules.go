// SPDX-License-Identifier: Apache-2.0

package codecache

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

// Source provides the artifact of a module.
type Source struct {
	// Read returns the artifact, and whether it comes from the cache on disk.
	Read func() (a *Artifact, kept bool, err error)
	// Keep stores an artifact that is not yet on disk, after it was compiled. It may be nil if all artifacts are on
	// disk.
	Keep func(a *Artifact)
}

// Modules caches compiled modules by digest, as long as they are in use. For each digest, one caller compiles at a
// time and the others wait for the result.
type Modules struct {
	compile func(ctx context.Context, a *Artifact, kept bool) (wazero.CompiledModule, error)
	// measured is called with the time that each module took.
	measured func(d time.Duration, kept bool)
	// Linger is how long an entry is kept after its last use. It is set before the first use.
	Linger time.Duration
	// idleTimeout is the time limit for compiling one module.
	idleTimeout time.Duration
	// slots limits how many modules are compiled at the same time, so that calls are still served meanwhile.
	slots chan struct{}

	mu      sync.Mutex
	entries map[plugin.Digest]*Code
}

// Code is a compiled module in the cache. Its users call Release when they no longer need it.
type Code struct {
	cache  *Modules
	digest plugin.Digest
	// ready is closed when Module, Artifact, Took and Kept are set, or err.
	ready  chan struct{}
	Module wazero.CompiledModule
	// Artifact is the artifact that Module was compiled from, without the bytes for the compiler.
	Artifact *Artifact
	// Took is the time that it took, and Kept reports whether the artifact was read from disk.
	Took time.Duration
	Kept bool
	err  error

	// cancel cancels the compilation.
	cancel context.CancelFunc

	// The lock of the cache protects refs, idle and loaded. idle runs while refs is 0. loaded is set by the first
	// revision.
	refs   int
	idle   *time.Timer
	loaded bool
}

// NewModules returns a cache that compiles at most the given number of modules at the same time.
func NewModules(compile func(context.Context, *Artifact, bool) (wazero.CompiledModule, error), parallel int, measured func(time.Duration, bool)) *Modules {
	return &Modules{
		compile: compile, measured: measured, Linger: linger, idleTimeout: compileTimeout,
		slots: make(chan struct{}, parallel), entries: map[plugin.Digest]*Code{},
	}
}

// Acquire returns the compiled module. If it is not in the cache, Acquire compiles the artifact from the source.
func (c *Modules) Acquire(ctx context.Context, digest plugin.Digest, from Source) (*Code, error) {
	c.mu.Lock()
	entry, there := c.entries[digest]
	if !there {
		entry = &Code{cache: c, digest: digest, ready: make(chan struct{})}
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
		entry.Release()
		return nil, err
	}
	if entry.err != nil {
		entry.Release()
		return nil, entry.err
	}
	return entry, nil
}

func (c *Modules) fill(ctx context.Context, entry *Code, from Source) {
	defer entry.cancel()
	code, err := c.compileInTime(ctx, from)
	c.mu.Lock()
	defer c.mu.Unlock()
	entry.Module, entry.Artifact, entry.Took, entry.Kept, entry.err = code.module, code.artifact, code.took, code.kept, err
	close(entry.ready)
	switch users := c.entries[entry.digest] == entry; {
	case err != nil && users:
		delete(c.entries, entry.digest) // the next caller retries
	case err == nil && !users: // every caller has given up
		_ = entry.Module.Close(ctx) // it only frees memory
	}
}

// result is the result of compiling a module.
type result struct {
	module   wazero.CompiledModule
	artifact *Artifact
	took     time.Duration
	kept     bool
}

// compileInTime waits for a slot and compiles the module. The compiler cannot be stopped, and some modules keep it busy
// for hours. After c.patience the compilation is abandoned, and its slot becomes free for others.
func (c *Modules) compileInTime(ctx context.Context, from Source) (_ result, err error) {
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return result{}, ctx.Err()
	}
	defer func() { <-c.slots }()
	type outcome struct {
		result
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		r, err := c.compileNow(ctx, from)
		done <- outcome{r, err}
	}()
	timer := time.NewTimer(c.idleTimeout)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.result, r.err
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = fmt.Errorf("it takes more than %s: make its functions smaller", c.idleTimeout)
	}
	go func() {
		if r := <-done; r.err == nil {
			_ = r.module.Close(ctx) // it only frees memory
		}
	}()
	return result{}, err
}

func (c *Modules) compileNow(ctx context.Context, from Source) (result, error) {
	start := time.Now()
	a, kept, err := from.Read()
	if err != nil {
		return result{}, err
	}
	module, err := c.compile(ctx, a, kept)
	if err != nil {
		return result{}, err
	}
	if !kept && from.Keep != nil {
		from.Keep(a)
	}
	a.Module = nil // instances need only the compiled code
	a.compact()
	took := time.Since(start)
	c.measured(took, kept)
	return result{module: module, artifact: a, took: took, kept: kept}, nil
}

// FirstLoad reports whether the caller is the first revision of this code, and records that there is one.
func (m *Code) FirstLoad() bool {
	m.cache.mu.Lock()
	defer m.cache.mu.Unlock()
	first := !m.loaded
	m.loaded = true
	return first
}

// Release releases one use. The code is closed after a delay when no uses remain.
func (m *Code) Release() {
	c := m.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	m.refs--
	if m.refs > 0 || c.entries[m.digest] != m {
		return
	}
	select {
	case <-m.ready:
		m.idle = time.AfterFunc(c.Linger, m.drop)
	default: // no caller waits for the compilation, fill closes its result
		delete(c.entries, m.digest)
		m.cancel()
	}
}

// drop closes the code, unless it is in use again.
func (m *Code) drop() {
	c := m.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.refs > 0 || c.entries[m.digest] != m {
		return
	}
	delete(c.entries, m.digest)
	if m.Module != nil {
		_ = m.Module.Close(context.Background()) // it only frees memory
	}
}

// Len returns how many modules are in the cache.
func (c *Modules) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}

// Close stops the timers. The runtime closes the code.
func (c *Modules) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.entries {
		if m.idle != nil {
			m.idle.Stop()
		}
	}
	c.entries = map[plugin.Digest]*Code{}
}
