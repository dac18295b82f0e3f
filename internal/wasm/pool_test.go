// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/k1s-io/k1s/internal/plugin"
)

// poolOf returns a pool of instances of the fixture minimal.
func poolOf(t *testing.T, change func(*poolOptions)) (p *pool, made *atomic.Int32, done chan struct{}) {
	t.Helper()
	e, _ := newEngine(t)
	r := load(t, e, "minimal").(*runner)
	made, done = &atomic.Int32{}, make(chan struct{})
	o := poolOptions{size: 2, idle: time.Hour, done: func() { close(done) }, make: func(ctx context.Context) (*instance, error) {
		made.Add(1)
		return e.instantiate(ctx, r.code, r.req, nil)
	}}
	if change != nil {
		change(&o)
	}
	return newPool(o), made, done
}

func mustAcquire(t *testing.T, p *pool) *instance {
	t.Helper()
	in, err := p.acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// TestPool_lastFirst verifies that the most recently used instance is used next, so that the others can become idle.
func TestPool_lastFirst(t *testing.T) {
	t.Parallel()
	p, made, _ := poolOf(t, nil)
	one, two := mustAcquire(t, p), mustAcquire(t, p)
	p.release(one, true)
	p.release(two, true)
	if got := mustAcquire(t, p); got != two {
		t.Error("got the instance that waited longer")
	}
	if got := made.Load(); got != 2 {
		t.Errorf("%d instances were made, want 2", got)
	}
}

// TestPool_closedInstance verifies that an instance whose module was closed is not used again.
func TestPool_closedInstance(t *testing.T) {
	t.Parallel()
	p, made, _ := poolOf(t, nil)
	in := mustAcquire(t, p)
	_ = in.module.Close(t.Context())
	p.release(in, true)
	if got := mustAcquire(t, p); got == in || made.Load() != 2 {
		t.Error("got the closed instance")
	}
}

// TestPool_makeFails verifies that a slot is free again after the creation of an instance has failed.
func TestPool_makeFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	p, _, done := poolOf(t, func(o *poolOptions) {
		o.make = func(context.Context) (*instance, error) { return nil, broken }
	})
	for range 5 {
		if _, err := p.acquire(t.Context()); !errors.Is(err, broken) {
			t.Fatalf("got %v, want %v", err, broken)
		}
	}
	p.close(t.Context())
	<-done
}

// TestPool_close_whileMaking verifies that close also cancels the creation of an instance.
func TestPool_close_whileMaking(t *testing.T) {
	t.Parallel()
	making := make(chan struct{})
	p, _, done := poolOf(t, func(o *poolOptions) {
		o.make = func(ctx context.Context) (*instance, error) {
			close(making)
			<-ctx.Done()
			return nil, ctx.Err()
		}
	})
	failed := make(chan error, 1)
	go func() {
		_, err := p.acquire(t.Context())
		failed <- err
	}()
	<-making
	p.close(t.Context())
	if err := wait(t, failed); err == nil {
		t.Error("got an instance of a closed pool")
	}
	<-done
}

// TestPool_close_done verifies that done is called after the last instance was released, and not earlier.
func TestPool_close_done(t *testing.T) {
	t.Parallel()
	p, _, done := poolOf(t, nil)
	in := mustAcquire(t, p)
	p.close(t.Context())
	select {
	case <-done:
		t.Fatal("done while an instance is in use")
	default:
	}
	if _, err := p.acquire(t.Context()); !errors.Is(err, errClosed) {
		t.Errorf("got %v, want %v", err, errClosed)
	}
	p.release(in, true)
	<-done
	if !in.module.IsClosed() {
		t.Error("the instance is still open")
	}
}

// TestPool_race verifies that with many concurrent callers there are never more instances than allowed, and that each
// has one caller.
func TestPool_race(t *testing.T) {
	t.Parallel()
	p, _, done := poolOf(t, func(o *poolOptions) { o.idle = time.Microsecond })
	var inUse sync.Map
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 100 {
				in, err := p.acquire(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				if _, taken := inUse.LoadOrStore(in, true); taken {
					t.Error("two callers have one instance")
				}
				inUse.Delete(in)
				p.release(in, (worker+i)%3 != 0)
			}
		})
	}
	wg.Wait()
	p.close(t.Context())
	<-done
}

// TestQuota_reset verifies that a quota denies lines above the limit, and allows them again after reset.
func TestQuota_reset(t *testing.T) {
	t.Parallel()
	q := &quota{log: logr.Discard()}
	for range maxLinesPerCall {
		if !q.take(1) {
			t.Fatal("rejected within the limit")
		}
	}
	if q.take(1) || q.dropped != 1 {
		t.Error("let through beyond the limit")
	}
	if q.reset(); !q.take(1) {
		t.Error("rejected after the reset")
	}
}

var _ plugin.Runner = (*runner)(nil)
