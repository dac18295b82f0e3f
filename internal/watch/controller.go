// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// Controller is a controller that starts and stops at run time, on informers that it shares with others. R is the type
// of its requests. The controllers of plugins and the embedded ones are Controllers.
type Controller[R comparable] struct {
	// Queue collects requests, also before Start.
	Queue priorityqueue.PriorityQueue[R]

	controller controller.TypedController[R]
	ctx        context.Context //nolint:containedctx // the controller's life, which begins before Start
	cancel     context.CancelFunc
	done       chan struct{}
	err        error
	remove     []func() error
	removeErr  error
}

// NewController returns a controller with the given name in logs, which runs from Start until Stop is called or ctx
// ends. Without queueName, the queue has no metrics.
func NewController[R comparable](ctx context.Context, name, queueName string, options controller.TypedOptions[R]) (*Controller[R], error) {
	c := &Controller[R]{done: make(chan struct{})}
	if options.RateLimiter == nil {
		options.RateLimiter = workqueue.NewTypedItemExponentialFailureRateLimiter[R](minBackoff, maxBackoff)
	}
	c.ctx, c.cancel = context.WithCancel(ctx) //nolint:gosec // end calls it
	c.Queue = priorityqueue.New(queueName, func(o *priorityqueue.Opts[R]) {
		o.Log, o.RateLimiter = options.Logger.WithValues("controller", name), options.RateLimiter
	})
	options.NewQueue = func(string, workqueue.TypedRateLimiter[R]) workqueue.TypedRateLimitingInterface[R] { return c.Queue }
	options.SkipNameValidation = new(true) // the same name is used again after every stop
	var err error
	if c.controller, err = controller.NewTypedUnmanaged(name, options); err != nil {
		c.Abandon()
		return nil, fmt.Errorf("make a controller: %w", err)
	}
	return c, nil
}

// Watch adds a source of requests, before Start.
func (c *Controller[R]) Watch(src source.TypedSource[R]) error { return c.controller.Watch(src) }

// OnStop adds a function that removes an event handler when the controller has stopped.
func (c *Controller[R]) OnStop(remove func() error) { c.remove = append(c.remove, remove) }

// Start starts the workers once the sources have synced.
func (c *Controller[R]) Start() {
	go func() {
		c.err = c.controller.Start(c.ctx)
		c.end()
	}()
}

// Stop stops the controller, and waits for its workers.
func (c *Controller[R]) Stop() {
	c.cancel()
	<-c.done
}

// Abandon stops a controller that was never started.
func (c *Controller[R]) Abandon() {
	c.Queue.ShutDown()
	c.end()
}

func (c *Controller[R]) end() {
	c.cancel()
	for _, remove := range c.remove {
		c.removeErr = errors.Join(c.removeErr, remove())
	}
	close(c.done)
}

// Done is closed after the workers have ended and the event handlers are removed.
func (c *Controller[R]) Done() <-chan struct{} { return c.done }

// Err returns why the controller could not start. It is valid after Done.
func (c *Controller[R]) Err() error { return c.err }

// StopErr returns why event handlers could not be removed. It is valid after Done.
func (c *Controller[R]) StopErr() error { return c.removeErr }
