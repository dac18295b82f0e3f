// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

const (
	// firstRetry is the delay after a controller's first failed start. It is short compared with the 2 minutes after
	// which a start fails if a CRD or a permission is missing.
	firstRetry = time.Second
	// lastRetry is the longest delay; the delay doubles until then.
	lastRetry = time.Minute
)

// SetupWithManager adds the controllers to the manager: all start when the manager leads, and stop with it.
func (r *Registry) SetupWithManager(mgr manager.Manager) error {
	err := mgr.Add(&runnable{registry: r, log: mgr.GetLogger().WithName("embedded")})
	if err != nil {
		return fmt.Errorf("add the embedded controllers to the manager: %w", err)
	}
	return nil
}

// runnable is a registry as a runnable of a manager.
type runnable struct {
	registry *Registry
	log      logr.Logger
}

var _ manager.LeaderElectionRunnable = (*runnable)(nil)

// NeedLeaderElection returns true: two replicas must not write the same statuses.
func (r *runnable) NeedLeaderElection() bool { return true }

// Start runs all controllers until ctx ends, and then waits for their last reconciles.
func (r *runnable) Start(ctx context.Context) error {
	var starts sync.WaitGroup
	for _, controller := range r.registry.List() {
		starts.Go(func() { r.start(ctx, controller) })
	}
	<-ctx.Done()
	starts.Wait()
	var errs []error
	for _, controller := range r.registry.List() {
		if err := controller.Stop(); err != nil {
			errs = append(errs, fmt.Errorf("stop %q: %w", controller.GetName(), err))
		}
	}
	return errors.Join(errs...)
}

// start starts a controller, and retries while that fails: what is missing may still appear, and the other controllers
// must not stop because of it. It stops retrying when something else starts or stops the controller.
func (r *runnable) start(ctx context.Context, controller Controller) {
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		err := controller.Start(ctx)
		if err == nil || ctx.Err() != nil || errors.Is(err, ErrAlreadyRunning) || errors.Is(err, ErrStopped) {
			return
		}
		r.log.Error(err, "Embedded controller did not start", "controller", controller.GetName(), "retryAfter", wait)
		select {
		case <-ctx.Done():
			return
		case <-r.registry.clock.After(wait):
		}
		if controller.GetHealth().Healthy {
			return
		}
	}
}
