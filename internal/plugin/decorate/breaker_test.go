// SPDX-License-Identifier: Apache-2.0

package decorate

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/plugin/metrics"
)

// breakerTest is a breaker around a guest that fails on demand.
type breakerTest struct {
	*breaker
	guest *guest

	mu      sync.Mutex
	err     error
	states  []metrics.BreakerState
	changes []plugin.BreakerChange
}

func newBroken() *breakerTest {
	b := &breakerTest{}
	b.guest = &guest{answer: func(context.Context, plugin.Call) ([]byte, error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		return nil, b.err
	}}
	b.breaker = newBreaker(b.guest, breakerHooks{
		state: func(s metrics.BreakerState) { b.states = append(b.states, s) },
		change: func(c plugin.BreakerChange) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.changes = append(b.changes, c)
		},
	})
	return b
}

// call makes one call that ends with the given error.
func (b *breakerTest) call(t *testing.T, end error) error {
	t.Helper()
	b.mu.Lock()
	b.err = end
	b.mu.Unlock()
	_, err := b.Call(t.Context(), plugin.Call{Export: abi.ExportReconcile})
	return err
}

// trip opens the breaker.
func (b *breakerTest) trip(t *testing.T) {
	t.Helper()
	for range tripAfter {
		if err := b.call(t, failure(plugin.KindTrap)); plugin.KindOf(err) != plugin.KindTrap {
			t.Fatalf("got %v, want the guest's own failure", err)
		}
	}
}

func TestBreaker_counts(t *testing.T) {
	t.Parallel()
	for kind, opens := range map[plugin.Kind]bool{
		plugin.KindTrap: true, plugin.KindTimeout: true, plugin.KindFuel: true, plugin.KindExit: true,
		plugin.KindViolation: true, plugin.KindInstance: true,
		plugin.KindGuest: false, plugin.KindInput: false, plugin.KindClosed: false,
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			b := newBroken()
			for range 3 * tripAfter {
				_ = b.call(t, failure(kind))
			}
			want := int32(3 * tripAfter)
			if opens {
				want = tripAfter
			}
			b.guest.expectCalls(t, want)
			if err := b.call(t, nil); (plugin.KindOf(err) == plugin.KindUnavailable) != opens {
				t.Errorf("got %v; opens: %v", err, opens)
			}
		})
	}
	t.Run("errors of no kind", func(t *testing.T) {
		t.Parallel()
		b := newBroken()
		for range 3 * tripAfter {
			_ = b.call(t, errors.New("of another sort"))
		}
		b.guest.expectCalls(t, 3*tripAfter)
	})
}

// A call that its caller canceled says nothing about the guest, however it ended.
func TestBreaker_counts_canceled(t *testing.T) {
	t.Parallel()
	b := newBroken()
	b.err = failure(plugin.KindTimeout)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 3 * tripAfter {
		if _, err := b.Call(ctx, plugin.Call{}); plugin.KindOf(err) != plugin.KindTimeout {
			t.Errorf("got %v, want what the guest ended with", err)
		}
	}
	b.guest.expectCalls(t, 3*tripAfter)
}

// Failures must be consecutive. A call that says nothing about the guest does not interrupt the sequence.
func TestBreaker_counts_inARow(t *testing.T) {
	t.Parallel()
	trap, closed := failure(plugin.KindTrap), failure(plugin.KindClosed)
	tests := []struct {
		name  string
		calls []error
		opens bool
	}{
		{"an answer between", []error{trap, trap, trap, trap, nil, trap, trap, trap, trap}, false},
		{"a guest's error between", []error{trap, trap, trap, trap, failure(plugin.KindGuest), trap, trap, trap, trap}, false},
		{"a swap between", []error{trap, trap, closed, trap, closed, trap, trap}, true},
		{"twice not enough", []error{trap, nil, trap, trap, trap, trap, nil, trap, trap, trap, trap}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBroken()
			for _, end := range tt.calls {
				_ = b.call(t, end)
			}
			if err := b.call(t, nil); (plugin.KindOf(err) == plugin.KindUnavailable) != tt.opens {
				t.Errorf("got %v; opens: %v", err, tt.opens)
			}
		})
	}
}

// The pauses double from a second to a minute, and start again at a second after a success.
func TestBreaker_pauses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBroken()
		for range 2 {
			b.trip(t)
			calls := b.guest.calls.Load()
			for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
				want *= time.Second
				time.Sleep(time.Millisecond) //nolint:forbidigo // the bubble's time, which passes at once
				err := b.call(t, nil)
				if got := plugin.RetryAfter(err); got != want-time.Millisecond {
					t.Fatalf("pause %d: %v, RetryAfter is %s, want %s", i, err, got, want-time.Millisecond)
				}
				var trap *plugin.CallError
				if !errors.As(errors.Unwrap(errors.Unwrap(err)), &trap) || trap.Kind != plugin.KindTrap {
					t.Errorf("%q does not carry the last failure", err)
				}
				b.guest.expectCalls(t, calls)
				time.Sleep(want) //nolint:forbidigo // as above
				end := failure(plugin.KindTrap)
				if i == 7 {
					end = nil
				}
				if err := b.call(t, end); !errors.Is(err, end) {
					t.Fatalf("probe %d: got %v, want %v", i, err, end)
				}
				calls++
				b.guest.expectCalls(t, calls)
			}
			if err := b.call(t, nil); err != nil {
				t.Errorf("after an answer: %v", err)
			}
		}
		var opened []bool
		for _, c := range b.changes {
			opened = append(opened, c.Open)
			if c.Open != (c.Cause != nil) || c.Open != (c.RetryAfter == minPause) {
				t.Errorf("change %+v", c)
			}
		}
		if want := []bool{true, false, true, false}; !slices.Equal(opened, want) {
			t.Errorf("notified of %v, want %v", opened, want)
		}
	})
}

func TestBreaker_states(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBroken()
		b.trip(t)
		time.Sleep(minPause + 1) //nolint:forbidigo // the bubble's time, which passes at once
		_ = b.call(t, failure(plugin.KindTimeout))
		time.Sleep(2*minPause + 1) //nolint:forbidigo // as above
		_ = b.call(t, failure(plugin.KindGuest))
		want := []metrics.BreakerState{
			metrics.BreakerOpen, metrics.BreakerHalfOpen, metrics.BreakerOpen, metrics.BreakerHalfOpen, metrics.BreakerClosed,
		}
		if diff := cmp.Diff(want, b.states); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// One call is let through at a time. If it says nothing about the guest, another one is let through.
func TestBreaker_probe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBroken()
		b.trip(t)
		time.Sleep(minPause + 1) //nolint:forbidigo // the bubble's time, which passes at once
		unblock := make(chan error)
		b.guest.answer = func(context.Context, plugin.Call) ([]byte, error) { return nil, <-unblock }
		ends := make(chan error, 1)
		probe := func() {
			go func() {
				_, err := b.Call(t.Context(), plugin.Call{})
				ends <- err
			}()
			synctest.Wait()
		}
		probe()
		for range 3 {
			_, err := b.Call(t.Context(), plugin.Call{})
			if got := plugin.RetryAfter(err); got != minPause {
				t.Errorf("beside the probe: got %v, RetryAfter %s", err, got)
			}
		}
		b.guest.expectCalls(t, tripAfter+1)
		unblock <- failure(plugin.KindClosed)
		if err := <-ends; plugin.KindOf(err) != plugin.KindClosed {
			t.Errorf("got %v", err)
		}
		probe()
		b.guest.expectCalls(t, tripAfter+2)
		unblock <- nil
		if err := <-ends; err != nil {
			t.Errorf("got %v", err)
		}
		b.guest.answer = func(context.Context, plugin.Call) ([]byte, error) { return []byte("x"), nil }
		if got, err := b.Call(t.Context(), plugin.Call{}); err != nil || string(got) != "x" {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

// With many concurrent callers, the breaker opens, stays open for all of them, and closes again.
func TestBreaker_concurrent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBroken()
		b.err = failure(plugin.KindTrap)
		everybody := func(n int) {
			var wg sync.WaitGroup
			for range 16 {
				wg.Go(func() {
					for range n {
						_, _ = b.Call(t.Context(), plugin.Call{})
					}
				})
			}
			wg.Wait()
		}
		everybody(50)
		if calls := b.guest.calls.Load(); calls < tripAfter || calls > 16*tripAfter {
			t.Errorf("%d calls before it opened", calls)
		}
		b.mu.Lock()
		b.err = nil
		b.mu.Unlock()
		time.Sleep(minPause + 1) //nolint:forbidigo // the bubble's time, which passes at once
		everybody(50)
		if err := b.call(t, nil); err != nil {
			t.Errorf("after the guest has recovered: %v", err)
		}
		if len(b.changes) != 2 {
			t.Errorf("notified of %+v, want two changes", b.changes)
		}
	})
}

// A probe that panics does not keep the breaker from the next one: the caller may recover.
func TestBreaker_probe_panics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBroken()
		b.trip(t)
		time.Sleep(minPause + 1) //nolint:forbidigo // the bubble's time, which passes at once
		answer := b.guest.answer
		b.guest.answer = func(context.Context, plugin.Call) ([]byte, error) { panic("of the test") }
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic is gone")
				}
			}()
			_ = b.call(t, nil)
		}()
		b.guest.answer = answer
		if err := b.call(t, nil); err != nil {
			t.Errorf("the next probe: %v", err)
		}
	})
}
