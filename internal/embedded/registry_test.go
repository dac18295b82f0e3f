// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/k1s-io/k1s/internal/testenv"
)

// fake is a controller whose starts fail as often as wanted. What it does not override must not be called.
type fake struct {
	Controller
	name string

	mu       sync.Mutex
	failures int
	starts   int
	health   HealthStatus
}

func (f *fake) GetName() string { return f.name }

func (f *fake) Start(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.starts++
	if f.starts <= f.failures {
		f.health = HealthStatus{Message: "cannot start"}
		return errors.New("cannot start")
	}
	f.health = HealthStatus{Healthy: true, Running: true, Synced: true}
	return nil
}

func (f *fake) Stop() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.health = HealthStatus{Healthy: true}
	return nil
}

func (f *fake) GetHealth() HealthStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.health
}

func (f *fake) GetMetrics() ControllerMetrics {
	return ControllerMetrics{Reconciles: 5, Errors: 2, QueueDepth: 3, LastReconcileDuration: time.Second}
}

// state returns a check for a number of starts and a health.
func (f *fake) state(starts int, healthy bool) func(context.Context) error {
	return func(context.Context) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.starts != starts || f.health.Healthy != healthy {
			return fmt.Errorf("%d starts, health %+v", f.starts, f.health)
		}
		return nil
	}
}

func TestRegistry_add(t *testing.T) {
	registry := NewRegistry()
	b, a := &fake{name: "b"}, &fake{name: "a"}
	if err := errors.Join(registry.Add(b), registry.Add(a)); err != nil {
		t.Fatalf("add: %v", err)
	}
	var duplicate *DuplicateError
	if err := registry.Add(&fake{name: "a"}); !errors.As(err, &duplicate) || duplicate.Name != "a" {
		t.Errorf("second controller named a: got %v, want a DuplicateError", err)
	}
	if err := registry.Add(&fake{}); err == nil {
		t.Error("a controller without a name was added")
	}
	if got, found := registry.Get("a"); !found || got != Controller(a) {
		t.Errorf("get a: got %v, %t: the first one is to stay", got, found)
	}
	if _, found := registry.Get("c"); found {
		t.Error("get c: found")
	}
	if list := registry.List(); len(list) != 2 || list[0] != Controller(a) || list[1] != Controller(b) {
		t.Errorf("list: got %v, want a and b in this order", list)
	}
}

func TestRegistry_register_constructorFails(t *testing.T) {
	registry, broken := NewRegistry(), errors.New("broken")
	err := registry.Register(nil, DefaultConfig(), func(manager.Manager, Config) (Controller, error) { return nil, broken })
	if !errors.Is(err, broken) || len(registry.List()) != 0 {
		t.Errorf("got %v and %d controllers", err, len(registry.List()))
	}
}

func TestRegistry_check(t *testing.T) {
	cases := []struct {
		name, why string
		health    HealthStatus
		wantError bool
	}{
		{name: "not started", why: "a replica that does not lead is ready", health: HealthStatus{Healthy: true}},
		{name: "serving", why: "all is well", health: HealthStatus{Healthy: true, Running: true, Synced: true}},
		{name: "failing reconciles", why: "one object must not take the process's readiness away", health: HealthStatus{Running: true, Synced: true}},
		{name: "starting", why: "it does not serve yet", health: HealthStatus{Running: true}, wantError: true},
		{name: "failed", why: "it ought to serve", health: HealthStatus{}, wantError: true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			registry := NewRegistry()
			if err := errors.Join(
				registry.Add(&fake{name: "well", health: HealthStatus{Healthy: true}}),
				registry.Add(&fake{name: "this", health: c.health}),
			); err != nil {
				t.Fatalf("add: %v", err)
			}
			if err := registry.Check(nil); (err != nil) != c.wantError {
				t.Errorf("%s: got %v", c.why, err)
			}
		})
	}
}

// TestRunnable_start_oneFails has one controller start at the third attempt and another one never, while a third one is
// not affected.
func TestRunnable_start_oneFails(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Now())
	registry := NewRegistry()
	registry.clock = clock
	good, late, never := &fake{name: "good"}, &fake{name: "late", failures: 2}, &fake{name: "never", failures: 1 << 30}
	if err := errors.Join(registry.Add(good), registry.Add(late), registry.Add(never)); err != nil {
		t.Fatalf("add: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	result := make(chan error, 1)
	go func() { result <- (&runnable{registry: registry, log: logr.Discard()}).Start(ctx) }()

	testenv.Eventually(t, "the good one starts", good.state(1, true))
	testenv.Eventually(t, "the failing one is reported", late.state(1, false))
	if err := registry.Check(nil); err == nil {
		t.Error("the check does not report the failing one")
	}
	testenv.Eventually(t, "two wait for their next attempt", waiters(clock, 2))
	clock.Step(firstRetry)
	testenv.Eventually(t, "two wait again", waiters(clock, 2))
	testenv.Eventually(t, "the second attempt failed", late.state(2, false))
	clock.Step(2 * firstRetry)
	testenv.Eventually(t, "the third attempt works", late.state(3, true))
	testenv.Eventually(t, "the good one was left alone", good.state(1, true))
	cancel()
	if err := <-result; err != nil {
		t.Errorf("the end: %v", err)
	}
	for _, controller := range registry.List() {
		if controller.GetHealth().Running {
			t.Errorf("%s still runs", controller.GetName())
		}
	}
}

// TestRunnable_start_stoppedByHand shows that a failed controller is not started again after something stopped it.
func TestRunnable_start_stoppedByHand(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Now())
	registry := NewRegistry()
	registry.clock = clock
	controller := &fake{name: "unwanted", failures: 1}
	done := make(chan struct{})
	go func() {
		defer close(done)
		(&runnable{registry: registry, log: logr.Discard()}).start(t.Context(), controller)
	}()
	testenv.Eventually(t, "it waits for its next attempt", waiters(clock, 1))
	_ = controller.Stop()
	clock.Step(firstRetry)
	<-done
	if err := controller.state(1, true)(t.Context()); err != nil {
		t.Error(err)
	}
}

// waiters returns a check for how many waiters the clock has.
func waiters(clock *clocktesting.FakeClock, want int) func(context.Context) error {
	return func(context.Context) error {
		if got := clock.Waiters(); got != want {
			return fmt.Errorf("%d wait", got)
		}
		return nil
	}
}

func TestRegistry_setupWithManager(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	createConfigMaps(t, env, namespace, "a")
	registry, seen := NewRegistry(), &recorder{}
	stopManager := env.StartManager(t, func(mgr manager.Manager) error {
		return errors.Join(
			registry.Add(newBase(t, mgr, namespace, seen)),
			registry.Add(&fake{name: "failing", failures: 1 << 30}),
			registry.SetupWithManager(mgr),
		)
	})
	testenv.Eventually(t, "the good controller works", func(context.Context) error { return seen.missing("a") })
	testenv.Eventually(t, "the check names the failing one", func(context.Context) error {
		if got := fmt.Sprint(registry.Check(nil)); got != `embedded controller "failing": cannot start` {
			return fmt.Errorf("got %s", got)
		}
		return nil
	})
	controller, _ := registry.Get("configmaps")
	if health := controller.GetHealth(); !health.Synced {
		t.Errorf("health while the manager runs: %+v", health)
	}
	stopManager()
	if health := controller.GetHealth(); health.Running {
		t.Errorf("health after the manager's end: %+v", health)
	}
}

func TestRegistry_registerMetrics(t *testing.T) {
	registry, gatherer := NewRegistry(), prometheus.NewPedanticRegistry()
	if err := errors.Join(
		registry.Add(&fake{name: "a", health: HealthStatus{Synced: true, ConsecutiveErrors: 4}}),
		registry.Add(&fake{name: "b", health: HealthStatus{Healthy: true}}),
		registry.RegisterMetrics(gatherer),
	); err != nil {
		t.Fatalf("set up: %v", err)
	}
	if err := registry.RegisterMetrics(gatherer); err == nil {
		t.Error("registering twice is to be an error")
	}
	families, err := gatherer.Gather()
	if err != nil {
		t.Fatalf("gather: %v", err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			got[family.GetName()+"/"+metric.GetLabel()[0].GetValue()] = metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
		}
	}
	for key, want := range map[string]float64{
		"k1s_embedded_reconciles_total/a":                 5,
		"k1s_embedded_reconcile_errors_total/b":           2,
		"k1s_embedded_reconcile_panics_total/a":           0,
		"k1s_embedded_requeues_total/a":                   0,
		"k1s_embedded_in_flight/a":                        0,
		"k1s_embedded_queue_depth/a":                      3,
		"k1s_embedded_last_reconcile_timestamp_seconds/a": 0,
		"k1s_embedded_last_reconcile_duration_seconds/a":  1,
		"k1s_embedded_consecutive_errors/a":               4,
		"k1s_embedded_running/a":                          1,
		"k1s_embedded_running/b":                          0,
		"k1s_embedded_healthy/a":                          0,
		"k1s_embedded_healthy/b":                          1,
	} {
		if value, found := got[key]; !found || value != want {
			t.Errorf("%s: got %v (%t), want %v", key, value, found, want)
		}
	}
}
