// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
)

// queue is what event handlers fill.
type queue = priorityqueue.PriorityQueue[Request]

// eventHandler puts the objects of one kind into a plugin's queue: an object that is a target, and
// the owner of an object that is owned.
type eventHandler struct {
	spec   Spec
	gvk    schema.GroupVersionKind
	target *Target // nil where the kind is only owned
	owned  bool
	queue  queue
}

func newEventHandler(spec Spec, gvk schema.GroupVersionKind, q queue) *eventHandler {
	h := &eventHandler{spec: spec, gvk: gvk, queue: q}
	for i := range spec.Targets {
		if spec.Targets[i].GVK == gvk {
			h.target = &spec.Targets[i]
		}
	}
	for _, owned := range spec.Owns {
		h.owned = h.owned || owned == gvk
	}
	return h
}

// OnAdd implements cache.ResourceEventHandler. What was there before the watch began waits behind
// what changes now.
func (h *eventHandler) OnAdd(obj any, isInInitialList bool) {
	if isInInitialList {
		h.enqueue(obj, handler.LowPriority)
		return
	}
	h.enqueue(obj, 0)
}

// OnUpdate implements cache.ResourceEventHandler. The old object counts too: the change may have
// taken it out of the selection or to another owner, of which the plugin should hear.
func (h *eventHandler) OnUpdate(oldObj, newObj any) {
	priority := 0
	if was, is := accessor(oldObj), accessor(newObj); was != nil && is != nil && was.GetResourceVersion() == is.GetResourceVersion() {
		priority = handler.LowPriority // a resync, not a change
	}
	h.enqueue(oldObj, priority)
	h.enqueue(newObj, priority)
}

// OnDelete implements cache.ResourceEventHandler.
func (h *eventHandler) OnDelete(obj any) {
	if gone, ok := obj.(toolscache.DeletedFinalStateUnknown); ok {
		obj = gone.Obj
	}
	h.enqueue(obj, 0)
}

func (h *eventHandler) enqueue(obj any, priority int) {
	o := accessor(obj)
	if o == nil || !h.spec.inScope(o.GetNamespace()) {
		return
	}
	options := priorityqueue.AddOpts{Priority: &priority}
	if h.target != nil && h.target.selects(o.GetLabels()) {
		h.queue.AddWithOpts(options, Request{GVK: h.gvk, NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}})
	}
	if h.owned {
		if owner, ok := h.owner(o); ok {
			h.queue.AddWithOpts(options, owner)
		}
	}
}

// owner returns the object's controlling owner, if that is of a target kind.
func (h *eventHandler) owner(o metav1.Object) (Request, bool) {
	ref := metav1.GetControllerOfNoCopy(o)
	if ref == nil {
		return Request{}, false
	}
	for _, t := range h.spec.Targets {
		gv, err := schema.ParseGroupVersion(ref.APIVersion)
		if err == nil && gv.Group == t.GVK.Group && ref.Kind == t.GVK.Kind {
			return Request{GVK: t.GVK, NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: ref.Name}}, true
		}
	}
	return Request{}, false
}

func accessor(obj any) metav1.Object {
	o, err := meta.Accessor(obj)
	if err != nil {
		return nil
	}
	return o
}
