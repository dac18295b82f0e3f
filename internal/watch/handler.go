// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"github.com/k1s-io/k1s/internal/plugin"
)

// queue is the queue to which event handlers add requests.
type queue = priorityqueue.PriorityQueue[Request]

// eventHandler adds requests for the objects of one kind to a plugin's queue: for an object that is a target, and for
// the owner of an object that is owned.
type eventHandler struct {
	spec    Spec
	gvk     schema.GroupVersionKind
	target  *plugin.Target // nil if the kind is only owned
	owned   bool
	queue   queue
	deleted *deletions
	causes  *causes
	// labels returns an object's labels, if the cache has it.
	labels func(Request) (map[string]string, bool)
}

// handler returns the event handler for one of a controller's kinds.
func (m *Manager) handler(r *running, gvk schema.GroupVersionKind) *eventHandler {
	return &eventHandler{
		spec: r.spec, gvk: gvk, target: r.spec.target(gvk), owned: slices.Contains(r.spec.Owns, gvk),
		queue: r.Queue, deleted: r.deletions, causes: r.causes, labels: m.labels,
	}
}

// labels returns an object's labels, if the cache has it.
func (m *Manager) labels(req Request) (map[string]string, bool) {
	u := object(req.GVK)
	if err := m.informers.cache.Get(context.Background(), req.NamespacedName, u); err != nil {
		return nil, false
	}
	return u.GetLabels(), true
}

// OnAdd implements cache.ResourceEventHandler. Objects that existed before the watch began are queued behind the
// objects that change now.
func (h *eventHandler) OnAdd(obj any, isInInitialList bool) {
	if isInInitialList {
		h.enqueue(obj, nil, handler.LowPriority)
		return
	}
	h.enqueue(obj, accessor(obj), 0)
}

// OnUpdate implements cache.ResourceEventHandler. The old object counts too: after the change, the object may not match
// the selector any more, or may have another owner. The plugin has to be notified of that.
func (h *eventHandler) OnUpdate(oldObj, newObj any) {
	priority := 0
	if was, is := accessor(oldObj), accessor(newObj); was != nil && is != nil && was.GetResourceVersion() == is.GetResourceVersion() {
		priority = handler.LowPriority // a resync, not a change
	}
	h.enqueue(oldObj, accessor(newObj), priority)
	h.enqueue(newObj, accessor(newObj), priority)
}

// OnDelete implements cache.ResourceEventHandler.
func (h *eventHandler) OnDelete(obj any) {
	if deleted, ok := obj.(toolscache.DeletedFinalStateUnknown); ok {
		obj = deleted.Obj
	}
	if o := accessor(obj); o != nil && h.selected(o) {
		h.deleted.add(h.request(o)) // first, because a worker may handle the request at once
	}
	h.enqueue(obj, nil, 0)
}

// selected reports whether an object of the handler's kind is one of the target's objects.
func (h *eventHandler) selected(o metav1.Object) bool { return h.spec.Selects(h.gvk, o) }

func (h *eventHandler) request(o metav1.Object) Request {
	return Request{GVK: h.gvk, NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}}
}

// enqueue enqueues the requests that an object stands for. The cause is the state of the object that the event reports,
// or nil if no state distinguishes the event from others.
func (h *eventHandler) enqueue(obj any, cause metav1.Object, priority int) {
	o := accessor(obj)
	if o == nil {
		return
	}
	options := priorityqueue.AddOpts{Priority: &priority}
	if h.selected(o) || h.target != nil && h.spec.informerKeys(o) {
		h.add(options, h.request(o), cause)
	}
	if h.owned && h.spec.Namespaces.Has(o.GetNamespace()) {
		if owner, ok := h.owner(o); ok {
			h.add(options, owner, cause)
		}
	}
}

// add records the cause first, because a worker may handle the request at once.
func (h *eventHandler) add(options priorityqueue.AddOpts, req Request, cause metav1.Object) {
	h.causes.add(req, cause)
	h.queue.AddWithOpts(options, req)
}

// owner returns the object's controlling owner, if the owner is an object of one of the targets.
func (h *eventHandler) owner(o metav1.Object) (Request, bool) {
	ref := metav1.GetControllerOfNoCopy(o)
	if ref == nil {
		return Request{}, false
	}
	gv, err := schema.ParseGroupVersion(ref.APIVersion)
	if err != nil {
		return Request{}, false
	}
	for _, t := range h.spec.Targets {
		if gv.Group != t.GVK.Group || ref.Kind != t.GVK.Kind {
			continue
		}
		owner := Request{GVK: t.GVK, NamespacedName: types.NamespacedName{Name: ref.Name}}
		if h.spec.namespaced(t.GVK) {
			owner.Namespace = o.GetNamespace()
		}
		return owner, h.spec.Namespaces.Has(owner.Namespace) && h.picks(t, owner)
	}
	return Request{}, false
}

// picks reports whether an owner matches the target's selector. An owner that is not in the cache does not match: it
// has events of its own.
func (h *eventHandler) picks(t plugin.Target, owner Request) bool {
	if t.Selector == nil {
		return true
	}
	labels, ok := h.labels(owner)
	return ok && t.Selects(labels)
}

func accessor(obj any) metav1.Object {
	o, err := meta.Accessor(obj)
	if err != nil {
		return nil
	}
	return o
}
