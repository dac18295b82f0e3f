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
	if err := r.Remove(t.Context(), a); err != nil || !one.closed.Load() || two.closed.Load() {
		t.Errorf("remove: %v, closed %v and %v", err, one.closed.Load(), two.closed.Load())
	}
	if err := r.Remove(t.Context(), a); err != nil {
		t.Errorf("removed twice: %v", err)
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
				if err := r.Remove(t.Context(), name); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := r.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
