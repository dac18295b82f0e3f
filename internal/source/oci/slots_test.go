// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// runs reports whether a pull has a slot.
func (t *turn) runs() bool {
	select {
	case <-t.ready:
		return true
	default:
		return false
	}
}

func TestSlots(t *testing.T) {
	t.Parallel()
	s := &slots{}
	expect := func(what string, pull *turn, want bool) {
		t.Helper()
		if pull.runs() != want {
			t.Errorf("%s: it runs: %t", what, !want)
		}
	}
	join := func(what, namespace, registry, repository string, want bool) *turn {
		t.Helper()
		pull := s.join(pullKey{namespace, registry, repository})
		expect(what, pull, want)
		return pull
	}
	first := join("the first pull", "a", "one", "x", true)
	same := join("another one from the repository", "a", "one", "x", false)
	join("another repository", "a", "one", "y", true)
	third := join("more than maxRegistryPulls", "a", "one", "z", false)
	join("another registry", "a", "two", "x", true)
	join("the last of the namespace", "a", "two", "y", true)
	fifth := join("more than maxNamespacePulls", "a", "three", "x", false)

	s.leave(first)
	expect("the next one in order", same, true)
	expect("the one after it", third, false)
	s.leave(third) // before it had a slot
	s.leave(same)
	expect("the next one", fifth, true)

	for i := range 5 { // 4 running pulls of "a" are 3 further ones
		join("the first pull of a namespace", fmt.Sprint("b", i), "one", "x", true)
		join("the second pull of a namespace", fmt.Sprint("b", i), "two", "x", true)
	}
	greedy := join("more than maxFurtherPulls", "b0", "three", "x", false)
	var last *turn
	for i := range maxPulls - 4 - 2*5 {
		last = join("the first pull of a namespace", fmt.Sprint("c", i), "one", "x", true)
	}
	modest := join("more than maxPulls", "d", "one", "x", false)
	s.leave(last)
	expect("of a namespace without pulls", modest, true)
	expect("of a namespace with pulls", greedy, false)
}

// TestSlots_fewest shows that a free slot goes to a namespace without pulls before another gets its second one.
func TestSlots_fewest(t *testing.T) {
	t.Parallel()
	s := &slots{}
	var all []*turn
	for i := range maxPulls {
		all = append(all, s.join(pullKey{fmt.Sprint("a", i), "one", "x"}))
	}
	second, first := s.join(pullKey{"a0", "two", "x"}), s.join(pullKey{"b", "one", "x"})
	s.leave(all[1])
	if second.runs() || !first.runs() {
		t.Errorf("the second pull of a namespace runs: %t, the first one of another: %t", second.runs(), first.runs())
	}
	s.leave(all[2])
	if !second.runs() {
		t.Error("the second pull does not run")
	}
}

// TestSlots_canceled shows that a pull that does not wait any longer gets no slot.
func TestSlots_canceled(t *testing.T) {
	t.Parallel()
	s := &slots{}
	key := pullKey{"a", "one", "x"}
	release, err := s.acquire(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.acquire(ctx, key); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	release()
	if len(s.running) != 0 || len(s.waiting) != 0 {
		t.Errorf("%d pulls run, %d wait", len(s.running), len(s.waiting))
	}
}
