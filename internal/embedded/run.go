// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"context"
	"fmt"
	"sync"

	"github.com/go-logr/logr"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// queue is the queue of requests that wait for a worker.
type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// run is one controller-runtime controller, from its creation to the end of its last worker.
type run struct {
	cancel    context.CancelFunc
	synced    chan struct{} // closed once every informer has synced
	done      chan struct{} // closed once workers have ended and event handlers are removed
	err       error         // why it could not start; read after done
	leftovers error         // what could not be removed; read after done

	mu    sync.Mutex
	queue queue
}

// start calls execute in a goroutine of its own.
func (r *run) start(ctx context.Context, execute func(context.Context) error) {
	ctx, r.cancel = context.WithCancel(ctx)
	go func() {
		defer close(r.done)
		defer r.cancel()
		r.err = execute(ctx)
	}()
}

// add adds requests to the queue, and reports whether there is one.
func (r *run) add(requests []reconcile.Request) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.queue == nil || r.queue.ShuttingDown() {
		return false
	}
	for _, request := range requests {
		r.queue.Add(request)
	}
	return true
}

// depth returns the number of requests that wait for a worker. It differs from controller-runtime's workqueue_depth,
// which keeps counting the requests that waited in a queue when its controller stopped.
func (r *run) depth() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.queue == nil {
		return 0
	}
	return r.queue.Len()
}

// makeQueue returns a function that makes a queue as controller-runtime does, and stores it in the run.
func (r *run) makeQueue(log logr.Logger) func(string, workqueue.TypedRateLimiter[reconcile.Request]) queue {
	return func(name string, limiter workqueue.TypedRateLimiter[reconcile.Request]) queue {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.queue = priorityqueue.New(name, func(o *priorityqueue.Opts[reconcile.Request]) {
			o.Log = log
			o.RateLimiter = limiter
		})
		return r.queue
	}
}

// execute runs the controller until ctx ends; an error means that it did not start.
func (b *base) execute(ctx context.Context, r *run, config Config) error {
	options := b.controllerOptions(config)
	options.NewQueue = r.makeQueue(options.Logger.WithValues("controller", b.options.Name))
	c, err := controller.NewUnmanaged(b.options.Name, options)
	if err != nil {
		return fmt.Errorf("make the controller: %w", err)
	}
	handlers := &handlers{Cache: b.host.GetCache()}
	for _, src := range handlers.sources(b.options.Watches, config, r.synced) {
		if err := c.Watch(src); err != nil {
			return fmt.Errorf("watch: %w", err)
		}
	}
	err = c.Start(ctx)
	r.leftovers = handlers.remove()
	return err
}

// controllerOptions returns the options of the controller-runtime controller.
func (b *base) controllerOptions(config Config) controller.Options {
	return controller.Options{
		Reconciler:              b.meter,
		MaxConcurrentReconciles: config.MaxConcurrentReconciles,
		RecoverPanic:            &config.RecoverPanic,
		RateLimiter:             config.RateLimiter,
		CacheSyncTimeout:        b.options.CacheSyncTimeout,
		Logger:                  b.host.GetLogger(),
		// A restart uses the name again. The Registry keeps names unique.
		SkipNameValidation: new(true),
	}
}
