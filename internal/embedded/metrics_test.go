// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"context"
	"errors"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func TestMeter_reconcile(t *testing.T) {
	begun := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const took = 3 * time.Second
	broken := errors.New("broken")
	counted := func(change func(*ControllerMetrics)) ControllerMetrics {
		metrics := ControllerMetrics{Reconciles: 1, LastReconcileTime: begun.Add(took), LastReconcileDuration: took}
		if change != nil {
			change(&metrics)
		}
		return metrics
	}

	cases := []struct {
		name, why  string
		result     reconcile.Result
		err        error
		panics     bool
		canceled   bool
		want       ControllerMetrics
		wantStreak int
	}{
		{name: "good", why: "nothing to add", want: counted(nil)},
		{
			name: "repeated later", why: "it asked to be",
			result: reconcile.Result{RequeueAfter: time.Minute},
			want:   counted(func(m *ControllerMetrics) { m.Requeues = 1 }),
		},
		{
			name: "failed", why: "an error counts once, and what it asks for is ignored",
			result: reconcile.Result{RequeueAfter: time.Minute}, err: broken,
			want:       counted(func(m *ControllerMetrics) { m.Errors = 1 }),
			wantStreak: 1,
		},
		{
			name: "panicked", why: "a panic is a failure too",
			panics:     true,
			want:       counted(func(m *ControllerMetrics) { m.Errors, m.Panics = 1, 1 }),
			wantStreak: 1,
		},
		{
			name: "cut short by Stop", why: "that is nobody's fault",
			err: context.Canceled, canceled: true,
			want: counted(nil),
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			clock := clocktesting.NewFakePassiveClock(begun)
			m := &meter{clock: clock}
			m.next = reconcile.Func(func(context.Context, reconcile.Request) (reconcile.Result, error) {
				if got := m.read().InFlight; got != 1 {
					t.Errorf("in flight while reconciling: got %d, want 1", got)
				}
				clock.SetTime(begun.Add(took))
				if c.panics {
					panic("of the test")
				}
				return c.result, c.err
			})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if c.canceled {
				cancel()
			}
			func() {
				defer func() {
					if panicked := recover() != nil; panicked != c.panics {
						t.Errorf("a panic passed through: %t, want %t", panicked, c.panics)
					}
				}()
				result, err := m.Reconcile(ctx, request("ns", "name"))
				if result != c.result || !errors.Is(err, c.err) {
					t.Errorf("got %v, %v, want the reconciler's own %v, %v", result, err, c.result, c.err)
				}
			}()
			if got := m.read(); got != c.want {
				t.Errorf("%s: got %+v, want %+v", c.why, got, c.want)
			}
			if got := m.streak().length; got != c.wantStreak {
				t.Errorf("%s: %d errors in a row, want %d", c.why, got, c.wantStreak)
			}
		})
	}
}

func TestMeter_streak(t *testing.T) {
	var err error
	m := &meter{clock: clocktesting.NewFakePassiveClock(time.Now())}
	m.next = reconcile.Func(func(context.Context, reconcile.Request) (reconcile.Result, error) {
		return reconcile.Result{}, err
	})
	run := func(times int, with error) {
		err = with
		for range times {
			_, _ = m.Reconcile(t.Context(), request("ns", "name"))
		}
	}
	broken := errors.New("broken")

	run(3, broken)
	if got := m.streak(); got.length != 3 || !errors.Is(got.last, broken) {
		t.Errorf("after 3 failures: got %+v", got)
	}
	run(1, nil)
	if got := m.streak(); got.length != 0 || !errors.Is(got.last, broken) {
		t.Errorf("a success ends the streak and keeps the last error: got %+v", got)
	}
	run(2, broken)
	m.forgetErrors()
	if got := m.streak(); got.length != 0 {
		t.Errorf("a start ends the streak: got %+v", got)
	}
	if got := m.read().Errors; got != 5 {
		t.Errorf("the counter keeps all: got %d, want 5", got)
	}
}
