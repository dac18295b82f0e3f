// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
)

// The shortest and the longest delay before a failed request is retried. The guest ABI guarantees them.
const (
	minBackoff = 5 * time.Millisecond
	maxBackoff = 1000 * time.Second
)

// running is one plugin's controller.
type running struct {
	spec       Spec
	queue      queue
	deletions  *deletions
	causes     *causes
	controller controller.TypedController[Request]
	log        logr.Logger
	informers  *informerSet
	// handlers are functions that remove the controller's event handlers.
	handlers []func()

	// ctx ends when the controller stops.
	ctx    context.Context //nolint:containedctx // it begins before start
	cancel context.CancelFunc
	// done is closed when the workers have finished.
	done chan struct{}
}

// start starts the workers.
func (r *running) start() {
	go func() {
		defer close(r.done)
		if err := r.controller.Start(r.ctx); err != nil {
			r.log.Error(err, "Controller of a plugin failed")
		}
	}()
}

// stop stops the controller: first it removes the event handlers, then it waits for the workers, and only then it
// releases the informers, from which the workers read.
func (r *running) stop() {
	for _, remove := range r.handlers {
		remove()
	}
	r.cancel()
	<-r.done
	r.informers.release()
}

// abandon stops a controller that was never started.
func (r *running) abandon() {
	r.queue.ShutDown()
	close(r.done)
	r.stop()
}

// inherit takes over the deleted objects that another controller, which has stopped, has not handled. All other objects
// are in the informers.
func (r *running) inherit(old *running) {
	for _, req := range old.deletions.all() {
		if r.spec.target(req.GVK) != nil && r.spec.InScope(req.Namespace) {
			r.deletions.add(req)
			r.causes.add(req, nil)
			r.queue.Add(req)
		}
	}
}

// informerSet are informers that a controller has acquired.
type informerSet struct {
	byKind map[schema.GroupVersionKind]*informer
	owner  *informers
}

// acquireAll acquires the informers of all kinds of a spec, or none.
func (i *informers) acquireAll(ctx context.Context, spec Spec) (*informerSet, error) {
	h := &informerSet{byKind: map[schema.GroupVersionKind]*informer{}, owner: i}
	for _, gvk := range spec.kinds() {
		kind := spec.Kinds[gvk]
		if kind == nil {
			h.release()
			return nil, fmt.Errorf("watch %s: %w", gvk.GroupKind(), &meta.NoKindMatchError{GroupKind: gvk.GroupKind(), SearchedVersions: []string{gvk.Version}})
		}
		acquired, err := i.acquire(ctx, kind)
		if err != nil {
			h.release()
			return nil, err
		}
		h.byKind[gvk] = acquired
	}
	return h, nil
}

func (h *informerSet) release() {
	for _, used := range h.byKind {
		h.owner.release(used)
	}
}

// prepare returns a plugin's controller, which collects events but does not process them yet. It takes over the
// informers.
func (m *Manager) prepare(ctx, base context.Context, name types.NamespacedName, spec Spec, informers *informerSet, reconciler Reconciler) (*running, error) {
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[Request](minBackoff, maxBackoff)
	r := &running{spec: spec, deletions: newDeletions(), causes: newCauses(), log: m.log.WithValues("plugin", name.String()), informers: informers, done: make(chan struct{})}
	r.ctx, r.cancel = context.WithCancel(base)
	// Without a name, the queue has no metrics, which would be updated twice a second for every plugin.
	r.queue = priorityqueue.New("", func(o *priorityqueue.Opts[Request]) {
		o.Log, o.RateLimiter = r.log, limiter
	})
	var err error
	r.controller, err = controller.NewTypedUnmanaged(name.String(), controller.TypedOptions[Request]{
		Reconciler:              worker{Reconciler: reconciler, limiter: limiter, deletions: r.deletions, causes: r.causes, run: r.ctx, hard: m.hard},
		MaxConcurrentReconciles: spec.MaxConcurrentReconciles,
		RateLimiter:             limiter,
		NewQueue: func(string, workqueue.TypedRateLimiter[Request]) workqueue.TypedRateLimitingInterface[Request] {
			return r.queue
		},
		Logger:             r.log,
		SkipNameValidation: new(true), // the same name is used again after every stop
	})
	if err != nil {
		r.abandon()
		return nil, fmt.Errorf("make a controller: %w", err)
	}
	for gvk, used := range informers.byKind {
		if err := m.listen(ctx, r, gvk, used.broadcaster); err != nil {
			r.abandon()
			return nil, fmt.Errorf("watch %s: %w", gvk.GroupKind(), err)
		}
	}
	return r, nil
}

// listen adds the events of a kind to the controller's queue.
func (m *Manager) listen(ctx context.Context, r *running, gvk schema.GroupVersionKind, f *broadcaster) error {
	h := m.handler(r, gvk)
	if err := f.join(ctx, h); err != nil {
		return err
	}
	r.handlers = append(r.handlers, func() { f.leave(h) })
	return nil
}

// enqueueAll adds every object of the controller's targets to its queue.
func (m *Manager) enqueueAll(ctx context.Context, r *running) error {
	for _, t := range r.spec.Targets {
		list, err := m.list(ctx, t.GVK, &client.ListOptions{})
		if err != nil {
			return fmt.Errorf("list %s: %w", t.GVK.GroupKind(), err)
		}
		for i := range list.Items {
			o := &list.Items[i]
			if !r.spec.Selects(t.GVK, o) && !r.spec.informerKeys(o) {
				continue
			}
			req := Request{GVK: t.GVK, NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}}
			r.causes.add(req, nil)
			r.queue.AddWithOpts(priorityqueue.AddOpts{Priority: new(handler.LowPriority)}, req)
		}
	}
	return nil
}
