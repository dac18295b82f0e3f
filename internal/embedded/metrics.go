// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// ControllerMetrics are the counts of a controller since it was created.
type ControllerMetrics struct {
	// Reconciles is the number of reconciles that have ended.
	Reconciles uint64
	// Errors is the number of them that returned an error or panicked.
	Errors uint64
	// Panics is the number of them that panicked.
	Panics uint64
	// Requeues is the number of them that requested a requeue without having failed.
	Requeues uint64
	// LastReconcileTime is when the last one ended; zero before the first.
	LastReconcileTime time.Time
	// LastReconcileDuration is how long the last one took.
	LastReconcileDuration time.Duration
	// InFlight is the number of reconciles going on now.
	InFlight int
	// QueueDepth is the number of requests that wait for a worker, without delayed requests.
	QueueDepth int
}

// meter is a reconciler that calls another one and counts its results.
type meter struct {
	next  reconcile.Reconciler
	clock clock.PassiveClock

	mu      sync.Mutex
	metrics ControllerMetrics
	errors  errorStreak
}

// errorStreak is the number of failures since the last success, and the last failure.
type errorStreak struct {
	length int
	last   error
	at     time.Time
}

// outcome is how a reconcile ended.
type outcome struct {
	panicked bool
	requeue  bool
	err      error
}

// Reconcile calls the other reconciler. It does not recover from a panic: controller-runtime or base decides about
// that, and a recover here would lose the origin of the panic.
func (m *meter) Reconcile(ctx context.Context, request reconcile.Request) (result reconcile.Result, err error) {
	begun := m.begin()
	end := outcome{panicked: true}
	defer func() { m.end(begun, end) }()
	result, err = m.next.Reconcile(ctx, request)
	end = outcome{requeue: err == nil && isRequeue(result), err: err}
	if errors.Is(ctx.Err(), context.Canceled) {
		end.err = nil // Stop has canceled it
	}
	return result, err
}

// isRequeue reports whether a result asks for another reconcile.
func isRequeue(result reconcile.Result) bool {
	return result.RequeueAfter > 0 || result.Requeue //nolint:staticcheck // this repository never sets it, but the reconcilers of others may
}

func (m *meter) begin() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.metrics.InFlight++
	return m.clock.Now()
}

func (m *meter) end(begun time.Time, end outcome) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock.Now()
	m.metrics.InFlight--
	m.metrics.Reconciles++
	m.metrics.LastReconcileTime = now
	m.metrics.LastReconcileDuration = now.Sub(begun)
	if end.requeue {
		m.metrics.Requeues++
	}
	if end.panicked {
		m.metrics.Panics++
		end.err = errPanicked
	}
	if end.err == nil {
		m.errors.length = 0
		return
	}
	m.metrics.Errors++
	m.errors = errorStreak{length: m.errors.length + 1, last: end.err, at: now}
}

// errPanicked is recorded as the error of a reconcile that panicked.
const errPanicked = Error("the reconciler panicked")

func (m *meter) read() ControllerMetrics {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.metrics
}

func (m *meter) streak() errorStreak {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.errors
}

// forgetErrors resets the streak for a controller that has started.
func (m *meter) forgetErrors() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.errors.length = 0
}
