// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/k1s-io/k1s/internal/testenv"
)

func TestBase_start_reconcilesEverythingEachTime(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	createConfigMaps(t, env, namespace, "a", "b", "c")
	seen := &recorder{}
	base := newBase(t, startHost(t, env), namespace, seen)
	for round := range 3 {
		start(t, base)
		testenv.Eventually(t, fmt.Sprintf("start %d reconciles all objects", round), func(context.Context) error {
			return seen.missing("a", "b", "c")
		})
		if health := base.GetHealth(); !health.Healthy || !health.Running || !health.Synced {
			t.Errorf("health while running: %+v", health)
		}
		stop(t, base)
		if health := base.GetHealth(); !health.Healthy || health.Running || health.Synced {
			t.Errorf("health while stopped: %+v", health)
		}
		seen.forget()
	}
	start(t, base)
	createConfigMaps(t, env, namespace, "d")
	testenv.Eventually(t, "events arrive after the last start", func(context.Context) error { return seen.missing("d") })
}

func TestBase_start_rejected(t *testing.T) {
	env := testenv.Shared(t)
	base := newBase(t, startHost(t, env), env.Namespace(t), &recorder{})

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := base.Start(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("start with an ended context: got %v", err)
	}
	start(t, base)
	if err := base.Start(t.Context()); !errors.Is(err, ErrAlreadyRunning) {
		t.Errorf("second start: got %v", err)
	}
	stop(t, base)
	stop(t, base) // stopping a stopped controller is not an error
}

func TestBase_start_contextEnds(t *testing.T) {
	env := testenv.Shared(t)
	base := newBase(t, startHost(t, env), env.Namespace(t), &recorder{})
	ctx, cancel := context.WithCancel(t.Context())
	if err := base.Start(ctx); err != nil {
		t.Fatalf("start: %v", err)
	}
	cancel()
	testenv.Eventually(t, "the controller stops with its context", func(context.Context) error {
		if health := base.GetHealth(); health.Running {
			return fmt.Errorf("still running: %+v", health)
		}
		return nil
	})
	start(t, base)
}

// TestBase_start_stoppedWhileWaiting stops a start that waits for informers.
func TestBase_start_stoppedWhileWaiting(t *testing.T) {
	env := testenv.Shared(t)
	host := startHost(t, env.Limited(t, readConfigMaps()))
	base := newBase(t, host, env.Namespace(t), &recorder{}, watchSecrets)
	result := make(chan error, 1)
	go func() { result <- base.Start(context.Background()) }()
	testenv.Eventually(t, "the controller waits", func(context.Context) error {
		if !base.GetHealth().Running {
			return errors.New("not started yet")
		}
		return nil
	})
	if health := base.GetHealth(); health.Healthy || health.Synced {
		t.Errorf("health while waiting: %+v", health)
	}
	stop(t, base)
	if err := <-result; !errors.Is(err, ErrStopped) {
		t.Errorf("the start returned %v, want ErrStopped", err)
	}
}

// TestBase_start_oneCannotSync has two controllers share a cache in which one's informer never syncs.
func TestBase_start_oneCannotSync(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	createConfigMaps(t, env, namespace, "a")
	host := newCountingHost(startHost(t, env.Limited(t, readConfigMaps())))

	seen := &recorder{}
	good := newBase(t, host, namespace, seen)
	bad := newBase(t, host, namespace, &recorder{}, watchSecrets, func(o *Options) { o.CacheSyncTimeout = time.Second })
	result := make(chan error, 1)
	go func() { result <- bad.Start(context.Background()) }()
	start(t, good)
	testenv.Eventually(t, "the other controller works", func(context.Context) error { return seen.missing("a") })

	if err := <-result; err == nil || errors.Is(err, ErrStopped) {
		t.Errorf("a start without permission to list returned %v", err)
	}
	if health := bad.GetHealth(); health.Healthy || health.Running || health.Message == "" {
		t.Errorf("health after a failed start: %+v", health)
	}
	stop(t, good)
	if present, _, _ := host.cache.read(); present != 0 {
		t.Errorf("%d event handlers are left", present)
	}
}

// readConfigMaps returns the only rule of the user whose permissions the host of some tests has.
func readConfigMaps() rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"list", "watch"}}
}

// watchSecrets makes a controller watch what that user is not allowed to read.
func watchSecrets(o *Options) {
	o.Name = "secrets"
	o.Watches = []Watch{{Object: &corev1.Secret{}, Handler: &handler.EnqueueRequestForObject{}}}
}

func TestBase_stop_waitsForReconcilesInFlight(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	createConfigMaps(t, env, namespace, "a")
	begun, unblock := make(chan struct{}), make(chan struct{})
	var ended atomic.Bool
	base := newBase(t, startHost(t, env), namespace, reconcile.Func(
		func(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
			close(begun)
			<-ctx.Done() // Stop cancels the context
			<-unblock
			ended.Store(true)
			return reconcile.Result{}, nil
		}))
	start(t, base)
	<-begun
	if got := base.GetMetrics().InFlight; got != 1 {
		t.Errorf("in flight: got %d, want 1", got)
	}
	stopped := make(chan bool, 1)
	go func() {
		_ = base.Stop()
		stopped <- ended.Load()
	}()
	close(unblock)
	if !<-stopped {
		t.Error("Stop returned before the reconcile")
	}
	if got := base.GetMetrics().InFlight; got != 0 {
		t.Errorf("in flight after Stop: got %d, want 0", got)
	}
}

func TestBase_stop_leavesInformersToOthers(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	createConfigMaps(t, env, namespace, "a")
	host := newCountingHost(startHost(t, env))
	stays, leaves := &recorder{}, &recorder{}
	staying := newBase(t, host, namespace, stays)
	leaving := newBase(t, host, namespace, leaves)
	start(t, staying)
	const rounds = 3
	for range rounds {
		start(t, leaving)
		if present, _, _ := host.cache.read(); present != 2 {
			t.Errorf("%d event handlers with both running, want 2", present)
		}
		stop(t, leaving)
		if present, _, _ := host.cache.read(); present != 1 {
			t.Errorf("%d event handlers with one running, want 1", present)
		}
	}
	if _, added, removed := host.cache.read(); added != 1+rounds || removed != 0 {
		t.Errorf("%d handlers were added, want %d; %d informers were removed, want none", added, 1+rounds, removed)
	}

	leaves.forget()
	createConfigMaps(t, env, namespace, "b")
	testenv.Eventually(t, "the other controller receives events", func(context.Context) error { return stays.missing("b") })
	if leaves.missing("b") == nil {
		t.Error("a stopped controller reconciled")
	}
}

// TestBase_concurrentCalls calls everything at once, for the race detector and for deadlocks.
func TestBase_concurrentCalls(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	createConfigMaps(t, env, namespace, "a")
	seen := &recorder{}
	base := newBase(t, startHost(t, env), namespace, seen)
	var calls sync.WaitGroup
	for worker := range 4 {
		calls.Go(func() {
			for range 5 {
				_ = base.Start(t.Context())
				config := only(namespace)
				config.MaxConcurrentReconciles = worker + 1
				if err := base.SetConfig(config); err != nil && !errors.Is(err, ErrStopped) {
					t.Errorf("set the configuration: %v", err)
				}
				_ = base.TriggerReconciliation(request(namespace, "a"))
				_, _ = base.GetMetrics(), base.GetHealth()
				if err := base.Stop(); err != nil {
					t.Errorf("stop: %v", err)
				}
			}
		})
	}
	calls.Wait()
	stop(t, base)
	seen.forget()
	start(t, base)
	testenv.Eventually(t, "the controller works afterwards", func(context.Context) error { return seen.missing("a") })
}
