// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Controller is one embedded controller (EmbeddedController in the plugin architecture). All methods can be called at
// any time and from any goroutine.
type Controller interface {
	// Reconciler reconciles one object in the caller's goroutine. It does not use the queue, so it may run at the same
	// time as a worker on the same object. TriggerReconciliation uses the queue.
	reconcile.Reconciler

	// GetName returns the name, which is unique in a Registry and labels logs and metrics.
	GetName() string
	// GetForTypes returns the kinds that the controller is for.
	GetForTypes() []schema.GroupVersionKind

	// GetConfig returns a copy of the configuration.
	GetConfig() Config
	// SetConfig validates a configuration and applies it. A running controller restarts with it before SetConfig
	// returns. If the restart fails, SetConfig returns the error (ErrStopped if Stop was called in between), and the
	// controller has stopped. A controller that is not running uses the configuration from the next Start on. For an
	// invalid configuration, the error is a *ConfigError, and nothing changes.
	SetConfig(config Config) error

	// Start returns nil once the informers have synced and the workers run. They run until Stop is called or ctx ends.
	// Start returns ErrAlreadyRunning if the controller is running, and ErrStopped if Stop was called before the
	// workers ran. It can be called again after Stop. Every object is reconciled then, as at the first start.
	Start(ctx context.Context) error
	// Stop cancels the contexts of the reconciles in flight, waits for these, and removes the controller's event
	// handlers from the shared informers, which stay. It returns nil if the controller is not running. The reconciler
	// itself must not call Stop, which would wait for the end of its own caller.
	Stop() error

	// TriggerReconciliation adds requests to the queue, without predicates and filters. It returns ErrNotRunning if
	// there is no queue: before Start, after Stop, and while SetConfig restarts the controller.
	TriggerReconciliation(requests ...reconcile.Request) error

	// GetMetrics returns what the controller has done so far.
	GetMetrics() ControllerMetrics
	// GetHealth returns the health of the controller.
	GetHealth() HealthStatus
}

// Constructor returns a controller for a manager that has not started yet; item.New is one.
type Constructor func(mgr manager.Manager, config Config) (Controller, error)
