// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// base implements Controller for any reconciler. It runs what Options describe in a controller-runtime controller. Each
// start makes a new one, because a controller-runtime controller can start only once.
type base struct {
	host    Host
	options Options
	meter   *meter

	mu      sync.Mutex // guards the rest
	config  Config
	life    *life // nil while stopped
	current *run  // the run with the current queue and workers; nil while stopped
	phase   phase
	failure error // why the last start failed
}

// New returns a controller that shares its host's informers. The caller or the Registry starts it.
func New(host Host, options Options) (Controller, error) {
	if err := options.validate(); err != nil {
		return nil, err
	}
	if options.Clock == nil {
		options.Clock = clock.RealClock{}
	}
	options.ForTypes = slices.Clone(options.ForTypes)
	options.Watches = slices.Clone(options.Watches)
	return &base{
		host:    host,
		options: options,
		meter:   &meter{next: options.Reconciler, clock: options.Clock},
		config:  options.Config.clone(),
	}, nil
}

// GetName returns the controller's name.
func (b *base) GetName() string { return b.options.Name }

// GetForTypes returns the kinds that the controller is for.
func (b *base) GetForTypes() []schema.GroupVersionKind { return slices.Clone(b.options.ForTypes) }

// GetConfig returns a copy of the configuration.
func (b *base) GetConfig() Config {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.config.clone()
}

// Reconcile reconciles one object at once, without the queue, and honors Config.RecoverPanic as a worker does.
func (b *base) Reconcile(ctx context.Context, request reconcile.Request) (_ reconcile.Result, err error) {
	if b.GetConfig().RecoverPanic {
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("panic: %v [recovered]", r)
			}
		}()
	}
	return b.meter.Reconcile(ctx, request)
}

// TriggerReconciliation adds requests to the queue of the running controller, before those of the initial list.
func (b *base) TriggerReconciliation(requests ...reconcile.Request) error {
	b.mu.Lock()
	current := b.current
	b.mu.Unlock()
	if current == nil || !current.add(requests) {
		return fmt.Errorf("trigger %q: %w", b.options.Name, ErrNotRunning)
	}
	return nil
}

// GetMetrics returns what the controller has done so far. The counts survive Stop and Start.
func (b *base) GetMetrics() ControllerMetrics {
	b.mu.Lock()
	current := b.current
	b.mu.Unlock()
	metrics := b.meter.read()
	if current != nil {
		metrics.QueueDepth = current.Queue.Len()
	}
	return metrics
}
