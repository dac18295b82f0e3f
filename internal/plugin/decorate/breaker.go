// SPDX-License-Identifier: Apache-2.0

package decorate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/plugin/metrics"
)

const (
	// tripAfter is the number of consecutive faults after which a breaker opens.
	tripAfter = 5
	// The pauses of an open breaker: minPause is the first one, each failed probe doubles it, and maxPause is the
	// longest one.
	minPause = time.Second
	maxPause = time.Minute
)

// breakerHooks are called under the lock of a breaker when its state changes. They must neither block nor call the
// runner.
type breakerHooks struct {
	// state is called with every state that the breaker enters.
	state func(metrics.BreakerState)
	// change is called when the breaker opens or closes, but not for failed probes.
	change func(plugin.BreakerChange)
}

// breaker is a circuit breaker: it stops calling a guest whose calls keep failing. After a pause it lets one call
// through, the probe.
type breaker struct {
	plugin.Runner
	hooks breakerHooks
	// calm is true while the breaker is closed and the last call was not a fault. A call that succeeds then takes no
	// lock.
	calm atomic.Bool

	mu    sync.Mutex
	state metrics.BreakerState
	// faults counts the faults in a row while the breaker is closed.
	faults int
	// probing is true while the breaker is half-open and its one call is underway.
	probing bool
	// until is when an open breaker lets a call through, and pause how long it was open then.
	until time.Time
	pause time.Duration
	// cause is the latest fault.
	cause error
}

func newBreaker(next plugin.Runner, hooks breakerHooks) *breaker {
	b := &breaker{Runner: next, hooks: hooks, state: metrics.BreakerClosed}
	b.calm.Store(true)
	return b
}

// Call implements plugin.Runner.
func (b *breaker) Call(ctx context.Context, call plugin.Call) ([]byte, error) {
	probe := false
	if !b.calm.Load() {
		var err error
		if probe, err = b.admit(call.Export); err != nil {
			return nil, err
		}
	}
	if probe {
		defer b.endProbe() // also if the call panics
	}
	reply, err := b.Runner.Call(ctx, call)
	if err != nil || probe || !b.calm.Load() {
		b.record(isFailure(ctx, err), probe)
	}
	return reply, err
}

// admit returns an error if the guest must not be called, and otherwise whether the call is the probe.
func (b *breaker) admit(export string) (probe bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch wait := time.Until(b.until); {
	case b.state == metrics.BreakerClosed:
		return false, nil
	case b.state == metrics.BreakerOpen && wait > 0:
		return false, b.unavailable(export, wait)
	case b.probing:
		return false, b.unavailable(export, minPause)
	}
	if b.state == metrics.BreakerOpen {
		b.enter(metrics.BreakerHalfOpen)
	}
	b.probing = true
	return true, nil
}

// record evaluates a call that has ended.
func (b *breaker) record(err error, probe bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch fault := plugin.IsFault(err); {
	case excluded(err), !probe && b.state != metrics.BreakerClosed: // it began before the breaker opened
	case fault && probe:
		b.cause, b.pause = err, min(2*b.pause, maxPause)
		b.open()
	case fault:
		b.calm.Store(false)
		b.cause = err
		if b.faults++; b.faults >= tripAfter {
			b.pause = minPause
			b.open()
			b.hooks.change(plugin.BreakerChange{Open: true, Cause: err, RetryAfter: b.pause})
		}
	default:
		b.faults = 0
		b.calm.Store(true)
		if probe {
			b.enter(metrics.BreakerClosed)
			b.hooks.change(plugin.BreakerChange{})
		}
	}
}

func (b *breaker) endProbe() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
}

// open opens the breaker for the pause. The caller holds the lock.
func (b *breaker) open() {
	b.faults, b.until = 0, time.Now().Add(b.pause)
	b.enter(metrics.BreakerOpen)
}

// enter changes the state. The caller holds the lock.
func (b *breaker) enter(state metrics.BreakerState) {
	b.state = state
	b.hooks.state(state)
}

// unended replaces the error of a call that its caller ended. Such an error is neither a fault nor a success.
type unended struct{ error }

// isFailure returns the error for the evaluation of the guest: an error that the caller caused is replaced.
func isFailure(ctx context.Context, err error) error {
	if err != nil && plugin.Ended(ctx) {
		return unended{context.Canceled}
	}
	return err
}

// excluded reports whether a result says nothing about the guest and therefore does not count.
func excluded(err error) bool {
	var ended unended
	if errors.As(err, &ended) {
		return true
	}
	switch plugin.KindOf(err) {
	case plugin.KindGuest:
		return false // the guest replied
	default:
		return err != nil && !plugin.IsFault(err)
	}
}

func (b *breaker) unavailable(export string, wait time.Duration) error {
	return &plugin.CallError{
		Kind: plugin.KindUnavailable, Export: export, RetryAfter: wait,
		Err: fmt.Errorf("not called after %d failures in a row, the last of them: %w", tripAfter, b.cause),
	}
}
