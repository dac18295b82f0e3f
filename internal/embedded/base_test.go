// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/k1s-io/k1s/internal/testenv"
)

func TestNew_optionsMissing(t *testing.T) {
	host := startHost(t, testenv.Shared(t))
	cases := []struct {
		name, why string
		change    func(*Options)
	}{
		{"name", "logs and metrics need it", func(o *Options) { o.Name = "" }},
		{"types", "a controller is for something", func(o *Options) { o.ForTypes = nil }},
		{"reconciler", "nothing would do the work", func(o *Options) { o.Reconciler = nil }},
		{"watches", "nothing would feed the queue", func(o *Options) { o.Watches = nil }},
		{"handler", "the watch leads nowhere", func(o *Options) { o.Watches = []Watch{{Object: o.Watches[0].Object}} }},
		{"object", "the watch watches nothing", func(o *Options) { o.Watches = []Watch{{Handler: o.Watches[0].Handler}} }},
		{"config", "see Config", func(o *Options) { o.Config = Config{} }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			options := newBase(t, host, "ns", &recorder{}).options
			c.change(&options)
			if _, err := New(host, options); err == nil {
				t.Errorf("%s: no error", c.why)
			}
		})
	}
}

func TestBase_trigger(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	seen := &recorder{}
	base := newBase(t, startHost(t, env), namespace, seen)
	if err := base.TriggerReconciliation(request(namespace, "a")); !errors.Is(err, ErrNotRunning) {
		t.Errorf("before Start: got %v, want ErrNotRunning", err)
	}
	start(t, base)
	if err := base.TriggerReconciliation(request(namespace, "a"), request("elsewhere", "b")); err != nil {
		t.Errorf("while running: %v", err)
	}
	testenv.Eventually(t, "both are reconciled, though neither exists and a filter would reject one", func(context.Context) error {
		return seen.missing("a", "b")
	})
	stop(t, base)
	if err := base.TriggerReconciliation(request(namespace, "a")); !errors.Is(err, ErrNotRunning) {
		t.Errorf("after Stop: got %v, want ErrNotRunning", err)
	}
}

func TestBase_metrics_queueDepth(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	begun, unblock := make(chan struct{}, 8), make(chan struct{})
	base := newBase(t, startHost(t, env), namespace, reconcile.Func(
		func(context.Context, reconcile.Request) (reconcile.Result, error) {
			begun <- struct{}{}
			<-unblock
			return reconcile.Result{}, nil
		}))
	start(t, base)
	if err := base.TriggerReconciliation(request(namespace, "a"), request(namespace, "b"), request(namespace, "c")); err != nil {
		t.Fatalf("trigger: %v", err)
	}
	<-begun
	if metrics := base.GetMetrics(); metrics.InFlight != 1 || metrics.QueueDepth != 2 {
		t.Errorf("with one worker and three requests: got %+v, want 1 in flight and 2 waiting", metrics)
	}
	close(unblock)
	testenv.Eventually(t, "all are done", func(context.Context) error {
		if metrics := base.GetMetrics(); metrics.Reconciles != 3 || metrics.QueueDepth != 0 || metrics.InFlight != 0 {
			return fmt.Errorf("got %+v", metrics)
		}
		return nil
	})
}

func TestBase_recoverPanic_true(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	createConfigMaps(t, env, namespace, "a")
	var calls atomic.Int64
	base := newBase(t, startHost(t, env), namespace, reconcile.Func(
		func(context.Context, reconcile.Request) (reconcile.Result, error) {
			if calls.Add(1) == 1 {
				panic("of the test")
			}
			return reconcile.Result{}, nil
		}))
	start(t, base)
	testenv.Eventually(t, "the request is retried after the panic", func(context.Context) error {
		metrics := base.GetMetrics()
		if metrics.Panics != 1 || metrics.Errors != 1 || metrics.Reconciles < 2 {
			return fmt.Errorf("got %+v", metrics)
		}
		return nil
	})

	calls.Store(0)
	if _, err := base.Reconcile(t.Context(), request(namespace, "a")); err == nil {
		t.Error("a panic of a direct Reconcile is to be an error too")
	}
}

func TestBase_controllerOptions_config(t *testing.T) {
	base := newBase(t, startHost(t, testenv.Shared(t)), "ns", &recorder{})
	for _, recovers := range []bool{true, false} {
		config := DefaultConfig()
		config.RecoverPanic, config.MaxConcurrentReconciles = recovers, 7
		options := base.controllerOptions(config)
		if options.RecoverPanic == nil || *options.RecoverPanic != recovers || options.MaxConcurrentReconciles != 7 {
			t.Errorf("the configuration %+v is not handed on: %+v", config, options)
		}
	}
}

func TestBase_reconcile_panicPassesThrough(t *testing.T) {
	base := newBase(t, startHost(t, testenv.Shared(t)), "ns", reconcile.Func(
		func(context.Context, reconcile.Request) (reconcile.Result, error) { panic("of the test") }))
	if err := base.SetConfig(Config{MaxConcurrentReconciles: 1, RecoverPanic: false}); err != nil {
		t.Fatalf("set the configuration: %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("the panic was recovered, though the configuration says not to")
		}
	}()
	_, _ = base.Reconcile(t.Context(), request("ns", "a"))
}

func TestBase_setConfig_running(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	createConfigMaps(t, env, namespace, "a", "b")
	together := make(chan struct{})
	var inside atomic.Int64
	base := newBase(t, startHost(t, env), namespace, reconcile.Func(
		func(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
			if inside.Add(1) == 2 {
				close(together)
			}
			defer inside.Add(-1)
			select { // two workers meet here; one worker alone waits until SetConfig stops it
			case <-together:
			case <-ctx.Done():
			}
			return reconcile.Result{}, nil
		}))
	start(t, base)
	config := base.GetConfig()
	config.MaxConcurrentReconciles = 2
	if err := base.SetConfig(config); err != nil {
		t.Fatalf("set the configuration: %v", err)
	}
	if health := base.GetHealth(); !health.Synced {
		t.Errorf("the controller is to run when SetConfig returns: %+v", health)
	}
	testenv.Eventually(t, "two reconciles go on at once", func(context.Context) error {
		select {
		case <-together:
			return nil
		default:
			return fmt.Errorf("%d in flight", base.GetMetrics().InFlight)
		}
	})
}

func TestBase_setConfig_filters(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	createConfigMaps(t, env, namespace, "a", "b")
	seen := &recorder{}
	base := newBase(t, startHost(t, env), namespace, seen)
	onlyB := only(namespace)
	onlyB.EventFilters = append(onlyB.EventFilters, func(_ EventKind, object client.Object) bool { return object.GetName() == "b" })
	if err := base.SetConfig(onlyB); err != nil {
		t.Fatalf("set the configuration before the start: %v", err)
	}
	start(t, base)
	testenv.Eventually(t, "b passes the filter", func(context.Context) error { return seen.missing("b") })
	if seen.missing("a") == nil {
		t.Error("a passed the filter")
	}
	if err := base.SetConfig(only(namespace)); err != nil {
		t.Fatalf("set the configuration while running: %v", err)
	}
	testenv.Eventually(t, "without the filter, a is reconciled", func(context.Context) error { return seen.missing("a") })
}

func TestBase_setConfig_invalid(t *testing.T) {
	env := testenv.Shared(t)
	base := newBase(t, startHost(t, env), env.Namespace(t), &recorder{})
	start(t, base)
	var wrong *ConfigError
	if err := base.SetConfig(Config{}); !errors.As(err, &wrong) {
		t.Errorf("got %v, want a ConfigError", err)
	}
	if got := base.GetConfig().MaxConcurrentReconciles; got != 1 || !base.GetHealth().Synced {
		t.Errorf("an invalid configuration changed something: %d workers, health %+v", got, base.GetHealth())
	}
}
