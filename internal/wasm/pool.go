// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"errors"
	"sync"
	"time"
)

var errClosed = errors.New("the revision is closed")

// poolOptions configure a pool.
type poolOptions struct {
	// size is the maximum number of instances at a time.
	size int
	// idle is how long an unused instance is kept.
	idle time.Duration
	// perCall resets every instance to its initial state before its next call.
	perCall bool
	// make creates an instance.
	make func(context.Context) (*instance, error)
	// done is called once, after the pool and its last instance are closed.
	done func()
}

// pool manages instances, each of which is used by one caller at a time. They are created on demand and closed when
// they are idle. The lock is not held while an instance is created, runs or is closed.
type pool struct {
	poolOptions
	// slots holds a token for each instance in use.
	slots chan struct{}
	// open is done when the pool is closed.
	open  context.Context //nolint:containedctx // the life of the pool
	shut  context.CancelFunc
	users sync.WaitGroup

	mu     sync.Mutex
	unused []unused // the most recently used last
	closed bool
	timer  *time.Timer
}

// unused is an instance that is idle.
type unused struct {
	in    *instance
	since time.Time
}

func newPool(o poolOptions) *pool {
	open, shut := context.WithCancel(context.Background())
	return &pool{poolOptions: o, slots: make(chan struct{}, o.size), open: open, shut: shut}
}

// acquire waits for a free slot and returns an instance. The caller returns it with release.
func (p *pool) acquire(ctx context.Context) (*instance, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.open.Done():
		return nil, errClosed
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		<-p.slots
		return nil, errClosed
	}
	p.users.Add(1)
	in := p.take()
	p.mu.Unlock()
	if in != nil {
		return in, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer p.cutOff(cancel)()
	in, err := p.make(ctx)
	if err != nil {
		<-p.slots
		p.users.Done()
		return nil, err
	}
	return in, nil
}

// take returns an unused instance, or nil. The caller holds the lock.
func (p *pool) take() *instance {
	for n := len(p.unused); n > 0; n = len(p.unused) {
		in := p.unused[n-1].in
		p.unused = p.unused[:n-1]
		// A guest that exits in a call that still returns a reply closes the module.
		if !in.module.IsClosed() {
			return in
		}
	}
	return nil
}

// cutOff cancels a call when the pool is closed, until stop is called.
func (p *pool) cutOff(cancel context.CancelFunc) (stop func() bool) {
	return context.AfterFunc(p.open, cancel)
}

// release returns an instance to the pool. An instance that is not fit for another call is closed.
func (p *pool) release(in *instance, fit bool) {
	in.finish()
	keep := false
	if fit && p.idle > 0 && (!p.perCall || in.reset()) {
		p.mu.Lock()
		if keep = !p.closed; keep {
			p.unused = append(p.unused, unused{in: in, since: time.Now()})
			p.schedule()
		}
		p.mu.Unlock()
	}
	if !keep {
		if fit {
			in.shutdown()
		}
		in.close(context.Background())
	}
	<-p.slots
	p.users.Done()
}

// schedule starts the timer for the instance that has been idle the longest. The caller holds the lock.
func (p *pool) schedule() {
	if p.timer == nil && len(p.unused) > 0 {
		p.timer = time.AfterFunc(time.Until(p.unused[0].since.Add(p.idle)), p.reap)
	}
}

// reap closes the instances that have been idle for too long.
func (p *pool) reap() {
	p.mu.Lock()
	p.timer = nil
	n := 0
	for n < len(p.unused) && time.Since(p.unused[n].since) >= p.idle {
		n++
	}
	closed := append([]unused(nil), p.unused[:n]...)
	p.unused = append(p.unused[:0], p.unused[n:]...)
	p.schedule()
	p.mu.Unlock()
	for _, u := range closed {
		u.in.shutdown()
		u.in.close(context.Background())
	}
}

// close cancels the running calls and closes all instances.
func (p *pool) close(ctx context.Context) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.closed = true
	closed := p.unused
	p.unused = nil
	if p.timer != nil {
		p.timer.Stop()
	}
	p.mu.Unlock()
	p.shut()
	for _, u := range closed {
		u.in.shutdown()
		u.in.close(ctx)
	}
	// A guest that cannot be stopped must not block the caller. Its code is released when it ends.
	go func() {
		p.users.Wait()
		p.done()
	}()
}
