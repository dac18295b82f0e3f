// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"errors"
	"sync"
	"testing"
)

func TestLocks(t *testing.T) {
	t.Parallel()
	var l locks[string]
	var counts [3]int // each is protected by a key
	keys := []string{"a", "b", "c"}
	var work sync.WaitGroup
	for i := range 60 {
		work.Go(func() {
			release, err := l.acquire(t.Context(), keys[i%3])
			if err != nil {
				t.Error(err)
				return
			}
			defer release()
			counts[i%3]++
		})
	}
	work.Wait()
	if counts != [3]int{20, 20, 20} || len(l.held) != 0 {
		t.Errorf("got %v, and %d keys are still there", counts, len(l.held))
	}
}

func TestLocks_canceled(t *testing.T) {
	t.Parallel()
	var l locks[string]
	release, err := l.acquire(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	for range 10 {
		work.Go(func() {
			if _, err := l.acquire(ctx, "a"); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
	}
	other, err := l.acquire(t.Context(), "b") // others do not wait for a
	if err != nil {
		t.Fatal(err)
	}
	other()
	cancel()
	work.Wait()
	if l.held["a"].users != 1 {
		t.Errorf("those who gave up are still counted: %d", l.held["a"].users)
	}
	release()
	again, err := l.acquire(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	again()
	if len(l.held) != 0 {
		t.Errorf("%d keys are still there", len(l.held))
	}
}
