// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Controller is one embedded controller (EmbeddedController in the plugin architecture).
// All methods may be called at any time and from any goroutine.
type Controller interface {
	// Reconciler reconciles one object in the caller's goroutine. It goes past the queue, so it may run
	// at the same time as a worker on the same object; TriggerReconciliation does not.
	reconcile.Reconciler

	// GetName returns the name, which is unique in a Registry and labels logs and metrics.
	GetName() string
	// GetForTypes returns the kinds that the controller is for.
	GetForTypes() []schema.GroupVersionKind

	// GetConfig returns a copy of the configuration.
	GetConfig() Config
	// SetConfig checks and takes over a configuration. A running controller restarts with it before
	// SetConfig returns; if that fails, the error says so (ErrStopped if Stop came in between) and the
	// controller has stopped. A controller that is not running uses it from the next Start on. An invalid
	// one is a *ConfigError and changes nothing.
	SetConfig(config Config) error

	// Start returns nil once the informers have synced and the workers run; they run until Stop or until
	// ctx ends. ErrAlreadyRunning if it is running, ErrStopped if Stop came first. It may be called
	// again after Stop; every object is reconciled then, as at the first start.
	Start(ctx context.Context) error
	// Stop waits for the reconciles in flight, whose contexts it cancels, and removes the controller's
	// event handlers from the shared informers, which stay. Nil if the controller is not running.
	// The reconciler itself must not call it: it would wait for its own end.
	Stop() error

	// TriggerReconciliation puts requests into the queue, past predicates and filters.
	// ErrNotRunning where there is no queue: before Start, after Stop, and while SetConfig restarts.
	TriggerReconciliation(requests ...reconcile.Request) error

	// GetMetrics returns what the controller has done so far.
	GetMetrics() ControllerMetrics
	// GetHealth returns how the controller is.
	GetHealth() HealthStatus
}

// Constructor makes a controller for a manager that has not started yet; item.New is one.
type Constructor func(mgr manager.Manager, config Config) (Controller, error)
