// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// handlers is the cache that the sources of one run use. It records the event handlers that the sources add to
// informers, and removes them at the end of the run. controller-runtime's own sources do not remove their handlers, so
// that each start would add more.
type handlers struct {
	cache.Cache

	mu      sync.Mutex
	added   []addedHandler
	removed bool
}

// addedHandler is an event handler and the shared informer that it was added to.
type addedHandler struct {
	informer     cache.Informer
	registration toolscache.ResourceEventHandlerRegistration
}

// GetInformer returns the shared informer, wrapped to record the handlers that are added to it.
func (h *handlers) GetInformer(ctx context.Context, obj client.Object, opts ...cache.InformerGetOption) (cache.Informer, error) {
	informer, err := h.Cache.GetInformer(ctx, obj, opts...)
	if err != nil {
		return nil, err
	}
	return &rememberingInformer{Informer: informer, handlers: h}, nil
}

// WaitForCacheSync waits for the informers that this run uses. The sources would wait for the whole cache, which may
// have an informer of another controller that never syncs.
func (h *handlers) WaitForCacheSync(ctx context.Context) bool {
	h.mu.Lock()
	synced := make([]toolscache.InformerSynced, 0, len(h.added))
	for _, a := range h.added {
		synced = append(synced, a.informer.HasSynced)
	}
	h.mu.Unlock()
	return toolscache.WaitForCacheSync(ctx.Done(), synced...)
}

// sources returns a source per watch. synced is closed when the last of them has synced.
func (h *handlers) sources(watches []Watch, config Config, synced chan<- struct{}) []source.Source {
	var missing atomic.Int64
	missing.Store(int64(len(watches)))
	sources := make([]source.Source, 0, len(watches))
	for _, watch := range watches {
		sources = append(sources, &countedSource{
			SyncingSource: source.Kind(h, watch.Object, watch.Handler, config.predicates(watch.Predicates)...),
			object:        watch.Object,
			onSync: func() {
				if missing.Add(-1) == 0 {
					close(synced)
				}
			},
		})
	}
	return sources
}

// remove removes all handlers from their informers, and rejects handlers that are added later.
func (h *handlers) remove() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.removed = true
	var errs []error
	for _, a := range h.added {
		if err := a.informer.RemoveEventHandler(a.registration); err != nil {
			errs = append(errs, fmt.Errorf("remove an event handler: %w", err))
		}
	}
	h.added = nil
	return errors.Join(errs...)
}

// rememberingInformer records the handlers that are added through it.
type rememberingInformer struct {
	cache.Informer
	handlers *handlers
}

// AddEventHandlerWithOptions adds a handler, unless the run has ended: a source may still have waited for its informer
// at that time.
func (i *rememberingInformer) AddEventHandlerWithOptions(handler toolscache.ResourceEventHandler, options toolscache.HandlerOptions) (toolscache.ResourceEventHandlerRegistration, error) {
	i.handlers.mu.Lock()
	defer i.handlers.mu.Unlock()
	if i.handlers.removed {
		return nil, ErrStopped
	}
	registration, err := i.Informer.AddEventHandlerWithOptions(handler, options)
	if err != nil {
		return nil, err
	}
	i.handlers.added = append(i.handlers.added, addedHandler{informer: i.Informer, registration: registration})
	return registration, nil
}

// countedSource calls onSync when its informer has synced.
type countedSource struct {
	source.SyncingSource
	object client.Object
	onSync func()
}

// WaitForSync waits for the informer. If the wait was canceled, a nil error does not mean that the informer has synced.
func (s *countedSource) WaitForSync(ctx context.Context) error {
	err := s.SyncingSource.WaitForSync(ctx)
	if err == nil && ctx.Err() == nil {
		s.onSync()
	}
	return err
}

// String returns the type of the watched objects, for controller-runtime's logs.
func (s *countedSource) String() string { return fmt.Sprintf("%T", s.object) }
