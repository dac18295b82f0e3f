// SPDX-License-Identifier: Apache-2.0

package codecache

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/k1s-io/k1s/internal/plugin"
)

// fakeCode is compiled code that counts how often it is closed.
type fakeCode struct {
	wazero.CompiledModule
	closed atomic.Int32
}

func (c *fakeCode) Close(context.Context) error {
	c.closed.Add(1)
	return nil
}

// fakeCompiler counts its compilations. If may is set, each compilation waits for it.
type fakeCompiler struct {
	code            fakeCode
	compiled, atOne atomic.Int32
	most            atomic.Int32
	may             chan struct{}
	err             error
}

func (f *fakeCompiler) compile(context.Context, *Artifact, bool) (wazero.CompiledModule, error) {
	f.compiled.Add(1)
	f.most.Store(max(f.most.Load(), f.atOne.Add(1)))
	defer f.atOne.Add(-1)
	if f.may != nil {
		<-f.may
	}
	if f.err != nil {
		return nil, f.err
	}
	return &f.code, nil
}

func acquire(ctx context.Context, c *Modules, digest plugin.Digest) (*Code, error) {
	return c.Acquire(ctx, digest, Source{Read: func() (*Artifact, bool, error) { return &Artifact{}, false, nil }})
}

func newFakeCache(compile func(context.Context, *Artifact, bool) (wazero.CompiledModule, error), parallel int) *Modules {
	return NewModules(compile, parallel, func(time.Duration, bool) {})
}

func TestModules_once(t *testing.T) {
	t.Parallel()
	f := &fakeCompiler{may: make(chan struct{})}
	c := newFakeCache(f.compile, 4)
	var wg sync.WaitGroup
	var fresh atomic.Int32
	for range 20 {
		wg.Go(func() {
			entry, err := acquire(t.Context(), c, "a")
			if err != nil || entry.Module != &f.code {
				t.Errorf("got %v, %v", entry, err)
				return
			}
			if entry.FirstLoad() {
				fresh.Add(1)
			}
		})
	}
	eventually(t, "it is compiled", func() bool { return f.compiled.Load() == 1 })
	close(f.may)
	wg.Wait()
	if f.compiled.Load() != 1 || fresh.Load() != 1 {
		t.Errorf("compiled %d times, first to %d callers, want 1 and 1", f.compiled.Load(), fresh.Load())
	}
}

func TestModules_parallel(t *testing.T) {
	t.Parallel()
	f := &fakeCompiler{may: make(chan struct{})}
	c := newFakeCache(f.compile, 2)
	var wg sync.WaitGroup
	for _, digest := range []plugin.Digest{"a", "b", "c", "d", "e"} {
		wg.Go(func() {
			if _, err := acquire(t.Context(), c, digest); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, "two are compiled", func() bool { return f.compiled.Load() == 2 })
	close(f.may)
	wg.Wait()
	if got := f.most.Load(); got > 2 {
		t.Errorf("%d were compiled at once, want 2", got)
	}
}

// TestModules_release verifies that code is closed a while after its last release, and not earlier.
func TestModules_release(t *testing.T) {
	t.Parallel()
	f := &fakeCompiler{}
	c := newFakeCache(f.compile, 1)
	c.Linger = time.Millisecond
	one, err := acquire(t.Context(), c, "a")
	if err != nil {
		t.Fatal(err)
	}
	two, err := acquire(t.Context(), c, "a")
	if err != nil || one != two {
		t.Fatalf("got %v, %v", two, err)
	}
	one.Release()
	time.AfterFunc(10*time.Millisecond, two.Release)
	eventually(t, "the code is closed", func() bool { return f.code.closed.Load() == 1 })
	if c.Len() != 0 {
		t.Error("the entry is still there")
	}
	if _, err := acquire(t.Context(), c, "a"); err != nil || f.compiled.Load() != 2 {
		t.Errorf("afterwards: %v, compiled %d times", err, f.compiled.Load())
	}
}

// TestModules_release_reused verifies that a module that is acquired again in time is kept, as when it is
// described and then loaded.
func TestModules_release_reused(t *testing.T) {
	t.Parallel()
	f := &fakeCompiler{}
	c := newFakeCache(f.compile, 1)
	for range 3 {
		entry, err := acquire(t.Context(), c, "a")
		if err != nil {
			t.Fatal(err)
		}
		entry.Release()
		entry.drop() // the timer of an earlier release may do this at any moment
		if entry, err = acquire(t.Context(), c, "a"); err != nil {
			t.Fatal(err)
		}
		entry.drop()
		if f.code.closed.Load() != f.compiled.Load()-1 {
			t.Fatal("code in use was closed")
		}
		entry.Release()
	}
}

func TestModules_fails(t *testing.T) {
	t.Parallel()
	f := &fakeCompiler{err: errors.New("not valid")}
	c := newFakeCache(f.compile, 1)
	for want := range int32(2) {
		if _, err := acquire(t.Context(), c, "a"); !errors.Is(err, f.err) {
			t.Errorf("got %v, want %v", err, f.err)
		}
		if f.compiled.Load() != want+1 || c.Len() != 0 {
			t.Errorf("a failure is not kept: compiled %d times, %d entries", f.compiled.Load(), c.Len())
		}
	}
}

// TestModules_givenUp verifies that code is closed if all callers have given up when its compilation ends.
func TestModules_givenUp(t *testing.T) {
	t.Parallel()
	f := &fakeCompiler{may: make(chan struct{})}
	c := newFakeCache(f.compile, 1)
	c.Linger = time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := acquire(ctx, c, "a"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v, want the context's error", err)
	}
	eventually(t, "the entry is dropped", func() bool { return c.Len() == 0 })
	close(f.may)
	eventually(t, "the code is closed", func() bool { return f.code.closed.Load() == 1 })
}

// TestModules_canceled verifies that the compilation is canceled when the last caller gives up, and not earlier.
func TestModules_canceled(t *testing.T) {
	t.Parallel()
	started, ended := make(chan struct{}), make(chan error, 1)
	c := newFakeCache(func(ctx context.Context, _ *Artifact, _ bool) (wazero.CompiledModule, error) {
		close(started)
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, ctx.Err()
	}, 1)
	var callers sync.WaitGroup
	give := make([]context.CancelFunc, 2)
	for i := range give {
		ctx, cancel := context.WithCancel(t.Context())
		give[i] = cancel
		callers.Go(func() {
			if _, err := acquire(ctx, c, "a"); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want the context's error", err)
			}
		})
	}
	<-started
	eventually(t, "both wait", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.entries["a"].refs == 2
	})
	give[0]()
	eventually(t, "one waits", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.entries["a"].refs == 1
	})
	select {
	case err := <-ended:
		t.Fatalf("the compilation ended with %v while somebody waited for it", err)
	default:
	}
	give[1]()
	callers.Wait()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the compilation ended with %v", err)
	}
	if c.Len() != 0 {
		t.Error("the entry is still there")
	}
}

// TestModules_slow verifies that a module that takes long to compile does not block others.
func TestModules_slow(t *testing.T) {
	t.Parallel()
	slow, quick := &fakeCompiler{may: make(chan struct{})}, &fakeCompiler{}
	c := newFakeCache(func(ctx context.Context, a *Artifact, kept bool) (wazero.CompiledModule, error) {
		if len(a.Module) > 0 {
			return slow.compile(ctx, a, kept)
		}
		return quick.compile(ctx, a, kept)
	}, 1)
	c.idleTimeout = time.Millisecond
	_, err := c.Acquire(t.Context(), "a", Source{Read: func() (*Artifact, bool, error) { return &Artifact{Module: []byte("long")}, false, nil }})
	if err == nil || err.Error() != "it takes more than 1ms: make its functions smaller" {
		t.Errorf("got %v, want that it takes too long", err)
	}
	c.idleTimeout = compileTimeout
	if _, err := acquire(t.Context(), c, "b"); err != nil {
		t.Error(err)
	}
	close(slow.may)
	eventually(t, "the late code is closed", func() bool { return slow.code.closed.Load() == 1 })
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(compileTimeout); !condition(); <-tick.C {
		if time.Now().After(end) {
			t.Fatal("waited in vain until " + what)
		}
	}
}
