// SPDX-License-Identifier: Apache-2.0

package decorate

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

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

// breakerHooks are called when the state of a breaker changes. They must neither block nor call the runner.
type breakerHooks struct {
	// state is called with every state that the breaker enters.
	state func(metrics.BreakerState)
	// change is called when the breaker opens or closes, but not for failed probes.
	change func(plugin.BreakerChange)
}

// breaker is a circuit breaker: it stops calling a guest whose calls keep failing. After a pause it lets one call
// through.
type breaker struct {
	plugin.Runner
	hooks   breakerHooks
	circuit *gobreaker.CircuitBreaker[[]byte]
	// calm is true while the circuit is closed and the last call was not a fault. Successes are then not reported to
	// the circuit, because that would cost several times as much as all other decorators.
	calm atomic.Bool
	// until is when an open breaker lets a call through, in Unix nanoseconds. The circuit's own pause is always
	// minPause, and is over by then.
	until atomic.Int64
	// pause is the latest pause. Only the circuit's callback, which runs under the circuit's lock, uses it.
	pause time.Duration
	// cause is the latest fault.
	cause atomic.Pointer[plugin.CallError]
}

func newBreaker(next plugin.Runner, hooks breakerHooks) *breaker {
	b := &breaker{Runner: next, hooks: hooks}
	b.circuit = gobreaker.NewCircuitBreaker[[]byte](gobreaker.Settings{
		MaxRequests:   1,
		Timeout:       minPause,
		ReadyToTrip:   func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= tripAfter },
		IsSuccessful:  func(err error) bool { return !plugin.IsFault(err) },
		IsExcluded:    excluded,
		OnStateChange: func(_ string, from, to gobreaker.State) { b.changed(from, to) },
	})
	b.calm.Store(true)
	return b
}

// Call implements plugin.Runner.
func (b *breaker) Call(ctx context.Context, call plugin.Call) ([]byte, error) {
	if b.calm.Load() {
		reply, err := b.Runner.Call(ctx, call)
		if err == nil {
			return reply, nil
		}
		if err := isFailure(ctx, err); plugin.IsFault(err) {
			b.calm.Store(false)
			b.recordFailure(err)
			_, _ = b.circuit.Execute(func() ([]byte, error) { return nil, err })
		}
		return reply, err
	}
	if wait := time.Until(time.Unix(0, b.until.Load())); wait > 0 {
		return nil, b.unavailable(call.Export, wait)
	}
	return b.try(ctx, call)
}

// try makes a call that is reported to the circuit.
func (b *breaker) try(ctx context.Context, call plugin.Call) ([]byte, error) {
	var answer error // the error for the caller
	reply, err := b.circuit.Execute(func() ([]byte, error) {
		var reply []byte
		reply, answer = b.Runner.Call(ctx, call)
		evaluated := isFailure(ctx, answer)
		if plugin.IsFault(evaluated) {
			b.recordFailure(evaluated)
		}
		return reply, evaluated
	})
	switch {
	case errors.Is(err, gobreaker.ErrOpenState):
		return nil, b.unavailable(call.Export, max(time.Until(time.Unix(0, b.until.Load())), minPause))
	case errors.Is(err, gobreaker.ErrTooManyRequests):
		return nil, b.unavailable(call.Export, minPause) // another call is the probe
	case err == nil && b.circuit.State() == gobreaker.StateClosed && b.circuit.Counts().ConsecutiveFailures == 0:
		// A fault that ends at this moment stays in the count beyond the next success, which is harmless.
		b.calm.Store(true)
	}
	return reply, answer
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

func (b *breaker) recordFailure(err error) {
	var call *plugin.CallError
	if errors.As(err, &call) {
		b.cause.Store(call)
	}
}

// changed is called when the circuit changes its state, under the circuit's lock.
func (b *breaker) changed(from, to gobreaker.State) {
	switch to {
	case gobreaker.StateOpen:
		opened := from == gobreaker.StateClosed
		b.pause = min(2*b.pause, maxPause)
		if opened {
			b.pause = minPause
		}
		b.until.Store(time.Now().Add(b.pause).UnixNano())
		b.hooks.state(metrics.BreakerOpen)
		if opened {
			b.hooks.change(plugin.BreakerChange{Open: true, Cause: b.lastFault(), RetryAfter: b.pause})
		}
	case gobreaker.StateHalfOpen:
		b.hooks.state(metrics.BreakerHalfOpen)
	case gobreaker.StateClosed:
		b.hooks.state(metrics.BreakerClosed)
		b.hooks.change(plugin.BreakerChange{})
	}
}

func (b *breaker) lastFault() error {
	if cause := b.cause.Load(); cause != nil {
		return cause
	}
	return nil
}

func (b *breaker) unavailable(export string, wait time.Duration) error {
	return &plugin.CallError{
		Kind: plugin.KindUnavailable, Export: export, RetryAfter: wait,
		Err: fmt.Errorf("not called after %d failures in a row, the last of them: %w", tripAfter, b.lastFault()),
	}
}
