// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/k1s-io/k1s/internal/watch"
)

// run is one watch.Controller, from its creation to the end of its last worker.
type run struct {
	*watch.Controller[reconcile.Request]

	synced chan struct{} // closed once every informer has synced
}

// add adds requests to the queue, and reports whether the run has not ended.
func (r *run) add(requests []reconcile.Request) bool {
	if r.Queue.ShuttingDown() {
		return false
	}
	for _, request := range requests {
		r.Queue.Add(request)
	}
	return true
}

// newRun returns a run that has not started.
func (b *base) newRun(ctx context.Context, config Config) (*run, error) {
	c, err := watch.NewController(ctx, b.options.Name, b.options.Name, b.controllerOptions(config))
	if err != nil {
		return nil, err
	}
	r := &run{Controller: c, synced: make(chan struct{})}
	handlers := &handlers{Cache: b.host.GetCache()}
	c.OnStop(handlers.remove)
	for _, src := range handlers.sources(b.options.Watches, config, r.synced) {
		if err := c.Watch(src); err != nil {
			c.Abandon()
			return nil, fmt.Errorf("watch: %w", err)
		}
	}
	return r, nil
}

func (b *base) controllerOptions(config Config) controller.Options {
	return controller.Options{
		Reconciler:              b.meter,
		MaxConcurrentReconciles: config.MaxConcurrentReconciles,
		RecoverPanic:            &config.RecoverPanic,
		RateLimiter:             config.RateLimiter,
		CacheSyncTimeout:        b.options.CacheSyncTimeout,
		Logger:                  b.host.GetLogger(),
	}
}
