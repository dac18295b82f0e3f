// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Slot holds the serving revision of one plugin. It runs calls on the serving revision and replaces the revision with
// one atomic pointer. A replaced revision finishes its calls before it is closed.
type Slot struct {
	current atomic.Pointer[lease]
	// drain is the maximum time that a replaced revision may take to finish its calls.
	drain time.Duration
	// leaving counts the replaced revisions that are not closed yet.
	leaving sync.WaitGroup

	mu     sync.Mutex // held while the revision is changed
	closed bool
	// kept is the previous revision, while the serving revision is on probation.
	kept *lease
}

// NewSlot returns an empty slot. A replaced revision has the drain time to finish its calls.
func NewSlot(drain time.Duration) *Slot { return &Slot{drain: drain} }

// Call runs a call on the serving revision.
func (s *Slot) Call(ctx context.Context, call Call) ([]byte, error) {
	l := s.acquire()
	if l == nil {
		return nil, ErrNoRevision
	}
	defer l.release()
	return l.runner.Call(ctx, call)
}

// Swap makes next the serving revision and returns immediately. If next is nil, the slot becomes empty. If the slot is
// closed, Swap closes next.
func (s *Slot) Swap(next Runner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l, ok := s.admit(next); ok {
		s.leave(s.current.Swap(l))
		s.leave(s.kept)
		s.kept = nil
	}
}

// Try makes next the serving revision, like Swap, but keeps the previous revision for Back.
func (s *Slot) Try(next Runner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l, ok := s.admit(next); ok {
		s.leave(s.kept)
		s.kept = s.current.Swap(l)
	}
}

// Keep ends the probation of the serving revision and closes the previous revision.
func (s *Slot) Keep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave(s.kept)
	s.kept = nil
}

// Back ends the probation of the serving revision and rolls back to the previous revision. It returns false if no
// previous revision is kept.
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

// admit returns a lease for next, or nil if next is nil. If the slot is closed, it closes next and returns false. The
// caller holds the lock.
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

// leave drops the slot's reference to a revision, which is closed after its last call. The caller holds the lock.
func (s *Slot) leave(l *lease) {
	if l != nil {
		s.leaving.Add(1)
		go s.retire(l)
	}
}

// Close empties the slot permanently. It waits until every replaced revision is closed, or until the context ends.
func (s *Slot) Close(ctx context.Context) error {
	s.shut()
	retired := make(chan struct{})
	go func() {
		s.leaving.Wait()
		close(retired)
	}()
	select {
	case <-retired:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the revision's last calls: %w", ctx.Err())
	}
}

// shut empties the slot permanently.
func (s *Slot) shut() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.Swap(nil)
}

// acquire returns the serving revision with one more reference, or nil if there is none.
func (s *Slot) acquire() *lease {
	for {
		l := s.current.Load()
		if l == nil || l.acquire() {
			return l
		}
		// The revision was replaced between the load and the acquire. The pointer has changed, so load it again.
	}
}

// retire waits a limited time for the running calls and closes the revision. Close aborts the calls that are still
// running.
func (s *Slot) retire(l *lease) {
	defer s.leaving.Done()
	l.release() // the slot's own reference
	timer := time.NewTimer(s.drain)
	defer timer.Stop()
	select {
	case <-l.idle:
	case <-timer.C:
	}
	// The error is ignored: nothing can be done about a module that fails to close.
	_ = l.runner.Close(context.Background())
}

// lease counts the users of a revision: the slot while the revision serves, and each call.
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

// acquire adds a reference. It returns false if the last reference was already released.
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
