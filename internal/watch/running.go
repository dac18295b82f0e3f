// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
)

// The pauses between tries of a request that fails: the guest ABI promises them.
const (
	minBackoff = 5 * time.Millisecond
	maxBackoff = 1000 * time.Second
)

// running is one plugin's controller at work.
type running struct {
	spec   Spec
	queue  queue
	cancel context.CancelFunc
	// done is closed when the workers have finished.
	done chan struct{}
	// leave takes the handlers off the informers and gives these up.
	leave func()
}

// stop ends the controller: first events stop coming, then the workers finish.
func (r *running) stop() {
	r.leave()
	r.cancel()
	<-r.done
}

// held are informers that a controller is about to use.
type held struct {
	byKind map[schema.GroupVersionKind]cache.Informer
	owner  *informers
}

// hold acquires the informer of every kind of a spec, or none.
func (i *informers) hold(ctx context.Context, spec Spec) (*held, error) {
	h := &held{byKind: map[schema.GroupVersionKind]cache.Informer{}, owner: i}
	for _, gvk := range spec.kinds() {
		informer, err := i.acquire(ctx, gvk)
		if err != nil {
			h.release()
			return nil, err
		}
		h.byKind[gvk] = informer
	}
	return h, nil
}

func (h *held) release() {
	for gvk := range h.byKind {
		h.owner.release(gvk)
	}
}

// start begins a plugin's controller on informers that hold every object already. It takes them over.
func (m *Manager) start(base context.Context, name types.NamespacedName, spec Spec, informers *held, reconciler Reconciler) (*running, error) {
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[Request](minBackoff, maxBackoff)
	log := m.log.WithValues("plugin", name.String())
	q := priorityqueue.New(name.String(), func(o *priorityqueue.Opts[Request]) {
		o.Log, o.RateLimiter = log, limiter
	})
	runCtx, cancel := context.WithCancel(base)
	c, err := controller.NewTypedUnmanaged(name.String(), controller.TypedOptions[Request]{
		Reconciler:              worker{Reconciler: reconciler, limiter: limiter, run: runCtx, hard: m.hard},
		MaxConcurrentReconciles: spec.MaxConcurrentReconciles,
		RateLimiter:             limiter,
		NewQueue: func(string, workqueue.TypedRateLimiter[Request]) workqueue.TypedRateLimitingInterface[Request] {
			return q
		},
		Logger:             log,
		SkipNameValidation: new(true), // the same name comes back after every stop
	})
	if err != nil {
		cancel()
		informers.release()
		return nil, fmt.Errorf("make a controller: %w", err)
	}
	var handlers []func()
	leave := func() {
		for _, f := range handlers {
			f()
		}
		informers.release()
	}
	for gvk, informer := range informers.byKind {
		registration, err := informer.AddEventHandler(newEventHandler(spec, gvk, q))
		if err != nil {
			leave()
			cancel()
			return nil, fmt.Errorf("watch %s: %w", gvk.GroupKind(), err)
		}
		handlers = append(handlers, func() { remove(informer, registration) })
	}

	r := &running{spec: spec, queue: q, cancel: cancel, done: make(chan struct{}), leave: leave}
	go func() {
		defer close(r.done)
		if err := c.Start(runCtx); err != nil {
			log.Error(err, "Controller of a plugin failed")
		}
	}()
	return r, nil
}

func remove(informer cache.Informer, registration toolscache.ResourceEventHandlerRegistration) {
	_ = informer.RemoveEventHandler(registration) // it errs for informers that have stopped
}

// enqueueAll puts every object of the controller's targets into its queue.
func (m *Manager) enqueueAll(ctx context.Context, r *running) error {
	for _, t := range r.spec.Targets {
		list, err := m.list(ctx, t.GVK, &client.ListOptions{LabelSelector: t.Selector})
		if err != nil {
			return fmt.Errorf("list %s: %w", t.GVK.GroupKind(), err)
		}
		for i := range list.Items {
			o := &list.Items[i]
			if !r.spec.inScope(o.GetNamespace()) {
				continue
			}
			r.queue.AddWithOpts(priorityqueue.AddOpts{Priority: new(handler.LowPriority)},
				Request{GVK: t.GVK, NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}})
		}
	}
	return nil
}
