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

// broadcaster passes the events of one informer to the controllers of all plugins that watch its kind. It is the informer's
// only handler, and is never removed from it. An informer has a buffer for each of its handlers, and drops the buffer
// when the handler is removed. With a broadcaster, controllers have no such buffers, so that one controller can replace another
// without losing an event.
type broadcaster struct {
	gvk    schema.GroupVersionKind
	reader client.Reader

	mu       sync.Mutex
	handlers map[*eventHandler]struct{}
}

func newBroadcaster(gvk schema.GroupVersionKind, reader client.Reader) *broadcaster {
	return &broadcaster{gvk: gvk, reader: reader, handlers: map[*eventHandler]struct{}{}}
}

// join delivers every object to a handler, and from then on every event. The informer's store is never behind the
// events that the informer has delivered, so an event is in the list, or comes after it, or both.
func (f *broadcaster) join(ctx context.Context, h *eventHandler) error {
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

// leave stops the events of a handler. When it returns, the handler is not running.
func (f *broadcaster) leave(h *eventHandler) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.handlers, h)
}

// OnAdd implements cache.ResourceEventHandler.
func (f *broadcaster) OnAdd(obj any, isInInitialList bool) {
	f.each(func(h *eventHandler) { h.OnAdd(obj, isInInitialList) })
}

// OnUpdate implements cache.ResourceEventHandler.
func (f *broadcaster) OnUpdate(oldObj, newObj any) {
	f.each(func(h *eventHandler) { h.OnUpdate(oldObj, newObj) })
}

// OnDelete implements cache.ResourceEventHandler.
func (f *broadcaster) OnDelete(obj any) {
	f.each(func(h *eventHandler) { h.OnDelete(obj) })
}

// each calls every handler. Handlers only add requests to queues, so that none of them blocks the others.
func (f *broadcaster) each(call func(*eventHandler)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for h := range f.handlers {
		call(h)
	}
}
