// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

const (
	// Timeout is how long Eventually polls. It only ends tests that hang: it is far longer than anything takes on a
	// slow and busy machine, and no test passes because it has elapsed.
	Timeout = 3 * time.Minute
	// interval is the pause between two polls.
	interval = 50 * time.Millisecond
)

// Namespace creates a namespace for the test, with the ServiceAccount "default" that the controllers of a cluster would
// create. No such controllers run here.
func (e *Env) Namespace(t *testing.T) string {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	e.Create(t, ns)
	e.ServiceAccount(t, ns.Name, "default")
	return ns.Name
}

// ServiceAccount creates a ServiceAccount.
func (e *Env) ServiceAccount(t *testing.T, namespace, name string) {
	t.Helper()
	e.Create(t, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}})
}

// Eventually polls check until it returns nil. If that takes longer than Timeout, the test fails with the last error.
func Eventually(t *testing.T, what string, check func(context.Context) error) {
	t.Helper()
	if err := Poll(t.Context(), Timeout, check); err != nil {
		t.Fatalf("%s: not within %s: %v", what, Timeout, err)
	}
}

// Consistently polls check for the given duration. The test fails at the first error. It is for tests that nothing
// happens, which only waiting can show.
func Consistently(t *testing.T, what string, during time.Duration, check func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), during)
	defer cancel()
	for {
		if err := check(t.Context()); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(interval):
		}
	}
}

// Poll calls check until it returns nil or the time has elapsed. It then returns the last error that was not caused by
// the end of the time.
func Poll(ctx context.Context, timeout time.Duration, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var last error
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil || last == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return last
		case <-time.After(interval):
		}
	}
}

// Background runs a function until the returned function is called, at the latest until the end of the test.
func Background(t *testing.T, start func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- start(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("ended with: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// StartManager starts a manager that setup has configured. It returns a function that stops the manager and waits for
// its end, which also happens when the test ends. If the manager returns an error, the test fails.
func (e *Env) StartManager(t *testing.T, setup func(manager.Manager) error) (stop func()) {
	t.Helper()
	mgr, err := ctrl.NewManager(e.Config, ctrl.Options{
		Scheme:     e.Scheme,
		Metrics:    metricsserver.Options{BindAddress: "0"},
		Logger:     testLogger(t),
		Controller: config.Controller{SkipNameValidation: new(true)},
	})
	if err != nil {
		t.Fatalf("make a manager: %v", err)
	}
	if err := setup(mgr); err != nil {
		t.Fatalf("set the manager up: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	stopped := false
	stop = func() {
		t.Helper()
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("the manager ended with: %v", err)
			}
		case <-time.After(Timeout):
			t.Errorf("the manager did not stop within %s", Timeout)
		}
	}
	t.Cleanup(stop)
	return stop
}
