// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

func TestSlot_empty(t *testing.T) {
	t.Parallel()
	s := NewSlot(time.Hour)
	if _, err := s.Call(t.Context(), Call{}); !errors.Is(err, ErrNoRevision) || serves(s) {
		t.Errorf("got %v, loaded %v, want %v", err, serves(s), ErrNoRevision)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// While revisions are swapped, every call runs on a serving revision.
func TestSlot_Swap_losesNoCall(t *testing.T) {
	t.Parallel()
	s := NewSlot(time.Hour)
	s.Swap(&fakeRunner{})
	ctx, stop := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for ctx.Err() == nil {
				if _, err := s.Call(ctx, Call{}); err != nil {
					t.Errorf("got %v", err)
					return
				}
			}
		})
	}
	var left []*fakeRunner
	for range 2000 {
		next := &fakeRunner{}
		left = append(left, next)
		s.Swap(next)
	}
	stop()
	callers.Wait()
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, r := range left {
		if !r.closed.Load() || r.cutOff.Load() {
			t.Fatalf("revision %d: closed %v, with calls inside %v", i, r.closed.Load(), r.cutOff.Load())
		}
	}
}

// A replaced revision finishes its calls before it is closed, while the next one already serves.
func TestSlot_Swap_drains(t *testing.T) {
	t.Parallel()
	s := NewSlot(time.Hour)
	old, next := newBlockedRunner(), &fakeRunner{}
	s.Swap(old)
	done := make(chan error, 1)
	go func() {
		_, err := s.Call(t.Context(), Call{})
		done <- err
	}()
	<-old.entered
	s.Swap(next)
	if _, err := s.Call(t.Context(), Call{}); err != nil || next.calls.Load() != 1 {
		t.Errorf("got %v, %d calls of the next revision", err, next.calls.Load())
	}
	if old.closed.Load() {
		t.Error("the old revision was closed with a call inside")
	}
	close(old.unblock)
	if err := <-done; err != nil {
		t.Error(err)
	}
	eventually(t, "the old revision is closed", old.closed.Load)
	if next.closed.Load() || !serves(s) {
		t.Error("the next revision does not serve")
	}
	if err := s.Close(t.Context()); err != nil || !next.closed.Load() {
		t.Errorf("got %v, closed %v", err, next.closed.Load())
	}
}

// A call that does not end is aborted after the drain time of its revision.
func TestSlot_Swap_drainIsBounded(t *testing.T) {
	t.Parallel()
	s := NewSlot(time.Millisecond)
	old := newBlockedRunner()
	s.Swap(old)
	done := make(chan error, 1)
	go func() {
		_, err := s.Call(t.Context(), Call{})
		done <- err
	}()
	<-old.entered
	s.Swap(nil)
	eventually(t, "the old revision is closed", old.closed.Load)
	if !old.cutOff.Load() {
		t.Error("the call was not inside any more")
	}
	if serves(s) {
		t.Error("a revision serves")
	}
	close(old.unblock)
	if err := <-done; !errors.Is(err, errClosedRunner) {
		t.Errorf("got %v, want %v", err, errClosedRunner)
	}
}

// Close waits for every replaced revision, but not longer than its context.
func TestSlot_Close_waits(t *testing.T) {
	t.Parallel()
	s := NewSlot(time.Hour)
	old := newBlockedRunner()
	s.Swap(old)
	go func() { _, _ = s.Call(t.Context(), Call{}) }()
	<-old.entered
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := s.Close(ctx); !errors.Is(err, context.DeadlineExceeded) || old.closed.Load() {
		t.Errorf("got %v, closed %v", err, old.closed.Load())
	}
	closed := make(chan error, 1)
	go func() { closed <- s.Close(t.Context()) }()
	close(old.unblock)
	if err := <-closed; err != nil || !old.closed.Load() {
		t.Errorf("got %v, closed %v", err, old.closed.Load())
	}
}

// A revision that is passed to a closed slot is closed.
func TestSlot_Close_forGood(t *testing.T) {
	t.Parallel()
	s := NewSlot(time.Hour)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	late := &fakeRunner{}
	s.Swap(late)
	if !late.closed.Load() || serves(s) {
		t.Errorf("closed %v, serves %v", late.closed.Load(), serves(s))
	}
	if _, err := s.Call(t.Context(), Call{}); !errors.Is(err, ErrNoRevision) {
		t.Errorf("got %v, want %v", err, ErrNoRevision)
	}
}

// Concurrent swapping and closing closes all revisions.
func TestSlot_Close_race(t *testing.T) {
	t.Parallel()
	for range 200 {
		s := NewSlot(time.Hour)
		runners := make([]*fakeRunner, 8)
		var wg sync.WaitGroup
		for i := range runners {
			runners[i] = &fakeRunner{}
			wg.Go(func() { s.Swap(runners[i]) })
		}
		wg.Go(func() { _ = s.Close(t.Context()) })
		wg.Wait()
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i, r := range runners {
			if !r.closed.Load() {
				t.Fatalf("runner %d is open", i)
			}
		}
	}
}

// A revision on probation can be rolled back. The previous revision has not been closed in the meantime.
func TestSlot_Try_back(t *testing.T) {
	t.Parallel()
	s := NewSlot(time.Hour)
	if s.Back() {
		t.Error("an empty slot went back to something")
	}
	old, tried := &fakeRunner{}, &fakeRunner{}
	s.Swap(old)
	s.Try(tried)
	if _, err := s.Call(t.Context(), Call{}); err != nil {
		t.Fatal(err)
	}
	if old.calls.Load() != 0 || tried.calls.Load() != 1 {
		t.Errorf("calls went to the old revision %d times, to the one on probation %d times", old.calls.Load(), tried.calls.Load())
	}
	if !s.Back() || s.Back() {
		t.Error("going back once is possible, twice is not")
	}
	if _, err := s.Call(t.Context(), Call{}); err != nil {
		t.Fatal(err)
	}
	if old.calls.Load() != 1 || old.closed.Load() {
		t.Errorf("the old revision has %d calls, closed %v", old.calls.Load(), old.closed.Load())
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !old.closed.Load() || !tried.closed.Load() {
		t.Error("a revision was left open")
	}
}

// Whatever ends a probation, the kept revision is closed.
func TestSlot_Try_ends(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*Slot){
		"proven":  (*Slot).Keep,
		"swapped": func(s *Slot) { s.Swap(&fakeRunner{}) },
		"emptied": func(s *Slot) { s.Swap(nil) },
		"another": func(s *Slot) { s.Try(&fakeRunner{}) },
		"closed":  func(s *Slot) { _ = s.Close(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := NewSlot(time.Hour)
			old := &fakeRunner{}
			s.Swap(old)
			s.Try(&fakeRunner{})
			end(s)
			s.leaving.Wait()
			if !old.closed.Load() {
				t.Error("the revision before was left open")
			}
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// serves reports whether a slot has a serving revision.
func serves(s *Slot) bool { return s.current.Load() != nil }
