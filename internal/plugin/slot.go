// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Slot is the place of one plugin: it runs calls on the revision that serves, and puts another in
// its place with one atomic pointer. The revision that leaves finishes its calls, then it is closed.
type Slot struct {
	current atomic.Pointer[lease]
	// drain bounds how long a leaving revision may take to finish its calls.
	drain time.Duration
	// leaving counts the revisions that have left and are not closed yet.
	leaving sync.WaitGroup

	mu     sync.Mutex // held while the revision is changed
	closed bool
	// kept is the revision before, while the current one is on trial.
	kept *lease
}

// NewSlot returns an empty slot. A revision that leaves gets the given time to finish its calls.
func NewSlot(drain time.Duration) *Slot { return &Slot{drain: drain} }

// Call runs a call on the revision that serves at this moment.
func (s *Slot) Call(ctx context.Context, call Call) ([]byte, error) {
	l := s.acquire()
	if l == nil {
		return nil, ErrNoRevision
	}
	defer l.release()
	return l.runner.Call(ctx, call)
}

// Swap makes next the revision that serves and returns at once. A nil next empties the slot. A closed
// slot closes next.
func (s *Slot) Swap(next Runner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l, ok := s.admit(next); ok {
		s.leave(s.current.Swap(l))
		s.leave(s.kept)
		s.kept = nil
	}
}

// Try makes next the revision that serves, like Swap, but keeps the one before for Back.
func (s *Slot) Try(next Runner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l, ok := s.admit(next); ok {
		s.leave(s.kept)
		s.kept = s.current.Swap(l)
	}
}

// Keep ends the trial of the revision that serves: the one before is closed.
func (s *Slot) Keep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave(s.kept)
	s.kept = nil
}

// Back ends the trial of the revision that serves: the one before serves again. It returns false if
// none was kept.
func (s *Slot) Back() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil {
		return false
	}
	s.leave(s.current.Swap(s.kept))
	s.kept = nil
	return true
}

// admit makes a lease of a revision that may serve, of nil none. The lock is held.
func (s *Slot) admit(next Runner) (*lease, bool) {
	if next == nil {
		return nil, true
	}
	if s.closed {
		_ = next.Close(context.Background()) // see retire
		return nil, false
	}
	return newLease(next), true
}

// leave gives up the slot's reference to a revision, which is closed after its last call. The lock is
// held.
func (s *Slot) leave(l *lease) {
	if l != nil {
		s.leaving.Add(1)
		go s.retire(l)
	}
}

// Loaded reports whether a revision serves.
func (s *Slot) Loaded() bool { return s.current.Load() != nil }

// Close empties the slot for good and waits until every revision that ever left is closed, or until
// the context ends.
func (s *Slot) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.Swap(nil)
	gone := make(chan struct{})
	go func() {
		s.leaving.Wait()
		close(gone)
	}()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the revision's last calls: %w", ctx.Err())
	}
}

// acquire returns the current revision with one more reference, or nil.
func (s *Slot) acquire() *lease {
	for {
		l := s.current.Load()
		if l == nil || l.acquire() {
			return l
		}
		// It was swapped out between the two lines above; the pointer has changed by now.
	}
}

// retire waits for the calls in flight, for a bounded time, and closes the revision. Close cuts off
// what is still running then.
func (s *Slot) retire(l *lease) {
	defer s.leaving.Done()
	l.release() // the slot's own reference
	timer := time.NewTimer(s.drain)
	defer timer.Stop()
	select {
	case <-l.idle:
	case <-timer.C:
	}
	// The error has nowhere to go: nothing can be done about a module that does not close.
	_ = l.runner.Close(context.Background())
}

// lease counts who uses a revision: the slot while it serves, and each call.
type lease struct {
	runner Runner
	refs   atomic.Int64
	idle   chan struct{}
}

func newLease(r Runner) *lease {
	l := &lease{runner: r, idle: make(chan struct{})}
	l.refs.Store(1)
	return l
}

// acquire adds a reference, unless the last one is gone already.
func (l *lease) acquire() bool {
	for {
		n := l.refs.Load()
		if n == 0 {
			return false
		}
		if l.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (l *lease) release() {
	if l.refs.Add(-1) == 0 {
		close(l.idle)
	}
}
