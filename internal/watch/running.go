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

// The shortest and the longest delay before a failed request is retried, as in every controller-runtime controller. The
// guest ABI guarantees them.
const (
	minBackoff = 5 * time.Millisecond
	maxBackoff = 1000 * time.Second
)

// running is one plugin's controller.
type running struct {
	*Controller[Request]

	spec      Spec
	deletions *deletions
	causes    *causes
	log       logr.Logger
	informers *informerSet
	// cutOff cancels the reconciles in flight.
	cutOff context.CancelFunc
}

// stop stops the controller: it waits for the workers, whose reconciles it cancels after a timeout, and only then
// releases the informers, from which the workers read.
func (r *running) stop(timeout time.Duration) {
	timer := time.AfterFunc(timeout, r.cutOff)
	defer timer.Stop()
	defer r.cutOff()
	r.Stop()
	if err := r.Err(); err != nil {
		r.log.Error(err, "Controller of a plugin failed")
	}
	r.informers.release()
}

// abandon stops a controller that was never started.
func (r *running) abandon() {
	r.cutOff()
	r.Abandon()
	r.informers.release()
}

// inherit takes over the deleted objects that another controller, which has stopped, has not handled. All other objects
// are in the informers.
func (r *running) inherit(old *running) {
	for _, req := range old.deletions.all() {
		if r.spec.target(req.GVK) != nil && r.spec.Namespaces.Has(req.Namespace) {
			r.deletions.add(req)
			r.causes.add(req, nil)
			r.Queue.Add(req)
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
	r := &running{spec: spec, deletions: newDeletions(), causes: newCauses(), log: m.log.WithValues("plugin", name.String()), informers: informers}
	w := &worker{Reconciler: reconciler, limiter: limiter, deletions: r.deletions, causes: r.causes}
	w.hard, r.cutOff = context.WithCancel(m.hard)
	var err error
	// Without a name, the queue has no metrics, which would be updated twice a second for every plugin.
	r.Controller, err = NewController(base, name.String(), "", controller.TypedOptions[Request]{
		Reconciler: w, MaxConcurrentReconciles: spec.MaxConcurrentReconciles, RateLimiter: limiter, Logger: r.log,
	})
	if err != nil {
		r.cutOff()
		informers.release()
		return nil, err
	}
	w.run = r.ctx
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
	r.OnStop(func() error {
		f.leave(h)
		return nil
	})
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
			r.Queue.AddWithOpts(priorityqueue.AddOpts{Priority: new(handler.LowPriority)}, req)
		}
	}
	return nil
}
