// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

func TestRegistry(t *testing.T) {
	t.Parallel()
	r := NewRegistry(time.Hour)
	a, b := types.NamespacedName{Namespace: "n", Name: "a"}, types.NamespacedName{Namespace: "n", Name: "b"}
	slot := r.Slot(a)
	if r.Slot(a) != slot || r.Slot(b) == slot {
		t.Error("a plugin has one slot of its own")
	}
	one, two := &fakeRunner{}, &fakeRunner{}
	slot.Swap(one)
	r.Slot(b).Swap(two)
	r.Remove(a)
	eventually(t, "the removed one is closed", one.closed.Load)
	r.Remove(a) // a second Remove does no harm
	if two.closed.Load() {
		t.Error("the other one was closed")
	}
	if r.Slot(a) == slot {
		t.Error("the closed slot came back")
	}
	if err := r.Close(t.Context()); err != nil || !two.closed.Load() {
		t.Errorf("close: %v, closed %v", err, two.closed.Load())
	}
}

func TestRegistry_Close_failure(t *testing.T) {
	t.Parallel()
	r := NewRegistry(time.Hour)
	stuck, fine := newBlockedRunner(), &fakeRunner{}
	slot := r.Slot(types.NamespacedName{Name: "stuck"})
	slot.Swap(stuck)
	r.Slot(types.NamespacedName{Name: "fine"}).Swap(fine)
	go func() { _, _ = slot.Call(t.Context(), Call{}) }()
	<-stuck.entered
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := r.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want that one could not be closed in time", err)
	}
	eventually(t, "the other one is closed", fine.closed.Load)
	close(stuck.unblock)
}

// TestRegistry_Remove_callInFlight shows that Remove does not wait for a call in flight, but Close does, although the
// slot was removed before.
func TestRegistry_Remove_callInFlight(t *testing.T) {
	t.Parallel()
	r := NewRegistry(time.Hour)
	name := types.NamespacedName{Name: "stuck"}
	stuck := newBlockedRunner()
	slot := r.Slot(name)
	slot.Swap(stuck)
	go func() { _, _ = slot.Call(t.Context(), Call{}) }()
	<-stuck.entered
	r.Remove(name)
	if _, err := r.Slot(name).Call(t.Context(), Call{}); !errors.Is(err, ErrNoRevision) {
		t.Errorf("a call after Remove: got %v, want ErrNoRevision", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := r.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want that Close waits for the call", err)
	}
	close(stuck.unblock)
	if err := r.Close(t.Context()); err != nil {
		t.Errorf("close after the call: %v", err)
	}
}

func TestRegistry_race(t *testing.T) {
	t.Parallel()
	r := NewRegistry(time.Hour)
	name := types.NamespacedName{Name: "a"}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				r.Slot(name).Swap(&fakeRunner{})
				_, _ = r.Slot(name).Call(t.Context(), Call{})
				r.Remove(name)
			}
		})
	}
	wg.Wait()
	if err := r.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
