// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// fan passes the events of one informer on to the controllers of all plugins that watch its kind. It
// is the informer's only handler and stays with it. An informer keeps a buffer for each of its
// handlers and drops it when the handler leaves; here nothing lies between two controllers, so that
// one can leave and another come without an event falling between them.
type fan struct {
	gvk    schema.GroupVersionKind
	reader client.Reader

	mu       sync.Mutex
	handlers map[*eventHandler]struct{}
}

func newFan(gvk schema.GroupVersionKind, reader client.Reader) *fan {
	return &fan{gvk: gvk, reader: reader, handlers: map[*eventHandler]struct{}{}}
}

// join tells a handler of every object, and from then on of every event. What the informer holds is
// never behind what it has told, so an event is in the list, or comes after it, or both.
func (f *fan) join(ctx context.Context, h *eventHandler) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(f.gvk.GroupVersion().WithKind(f.gvk.Kind + "List"))
	if err := f.reader.List(ctx, list); err != nil {
		return fmt.Errorf("list %s: %w", f.gvk.GroupKind(), err)
	}
	for i := range list.Items {
		h.OnAdd(&list.Items[i], true)
	}
	f.handlers[h] = struct{}{}
	return nil
}

// leave ends a handler's events. When it returns, the handler is not running.
func (f *fan) leave(h *eventHandler) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.handlers, h)
}

// OnAdd implements cache.ResourceEventHandler.
func (f *fan) OnAdd(obj any, isInInitialList bool) {
	f.each(func(h *eventHandler) { h.OnAdd(obj, isInInitialList) })
}

// OnUpdate implements cache.ResourceEventHandler.
func (f *fan) OnUpdate(oldObj, newObj any) {
	f.each(func(h *eventHandler) { h.OnUpdate(oldObj, newObj) })
}

// OnDelete implements cache.ResourceEventHandler.
func (f *fan) OnDelete(obj any) {
	f.each(func(h *eventHandler) { h.OnDelete(obj) })
}

// each calls every handler. They only put requests into queues, so that none keeps the others waiting.
func (f *fan) each(call func(*eventHandler)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for h := range f.handlers {
		call(h)
	}
}
