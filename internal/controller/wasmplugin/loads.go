// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// loads assigns the slots in which plugins are loaded. A namespace has at most one slot, so that the next namespace
// gets its turn, however many plugins a tenant has and however long they take. No worker blocks: a plugin without a
// slot is reconciled again when it gets one. Deletion and suspension need no load, and take no slot.
type loads struct {
	slots int
	// wake enqueues a plugin.
	wake func(types.NamespacedName)

	mu sync.Mutex
	// active are the loads and the reserved slots by namespace.
	active map[string]*activeLoad
	// waiting are the plugins that wait for a slot, in the order of their arrival.
	waiting []types.NamespacedName
}

// activeLoad is a load in progress, or a slot that is reserved for a plugin until the plugin is reconciled.
type activeLoad struct {
	name   types.NamespacedName
	cancel context.CancelFunc // nil while the slot is only reserved
}

// do runs a load in a slot and reports whether it did. Otherwise, the plugin is reconciled again when it gets a slot.
func (s *loads) do(ctx context.Context, name types.NamespacedName, load func(context.Context)) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if !s.begin(name, cancel) {
		return false
	}
	defer s.end(name)
	load(ctx)
	return true
}

func (s *loads) begin(name types.NamespacedName, cancel context.CancelFunc) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.active[name.Namespace]
	switch {
	case kept != nil && kept.name == name && kept.cancel == nil:
		kept.cancel = cancel
		return true
	case kept == nil && len(s.active) < s.slots:
		if s.active == nil {
			s.active = map[string]*activeLoad{}
		}
		s.active[name.Namespace] = &activeLoad{name, cancel}
		s.forget(name)
		return true
	}
	if !slices.Contains(s.waiting, name) {
		s.waiting = append(s.waiting, name)
	}
	return false
}

// end releases a plugin's slot, and reserves free slots for the first waiting plugins whose namespaces have none.
func (s *loads) end(name types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.active[name.Namespace]; a != nil && a.name == name {
		delete(s.active, name.Namespace)
	}
	for i := 0; i < len(s.waiting) && len(s.active) < s.slots; {
		next := s.waiting[i]
		if s.active[next.Namespace] != nil {
			i++
			continue
		}
		s.waiting = slices.Delete(s.waiting, i, i+1)
		s.active[next.Namespace] = &activeLoad{name: next}
		s.wake(next)
	}
}

// leave removes a plugin that is not to be loaded from the waiting plugins, and releases the slot that is reserved for
// it.
func (s *loads) leave(name types.NamespacedName) {
	s.mu.Lock()
	s.forget(name)
	a := s.active[name.Namespace]
	kept := a != nil && a.name == name && a.cancel == nil
	s.mu.Unlock()
	if kept {
		s.end(name)
	}
}

// forget removes a plugin from the waiting plugins. The caller holds the lock.
func (s *loads) forget(name types.NamespacedName) {
	if i := slices.Index(s.waiting, name); i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
	}
}

// cancel cancels the load of a plugin, if one is in progress.
func (s *loads) cancel(name types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.active[name.Namespace]; a != nil && a.name == name && a.cancel != nil {
		a.cancel()
	}
}

// handler returns an event handler that cancels the load of a plugin that is deleted or whose spec changes, so that
// nothing waits for the end of the load.
func (s *loads) handler() cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		UpdateFunc: func(before, after any) {
			was, ok := before.(*pluginsv1alpha1.WasmPlugin)
			is, also := after.(*pluginsv1alpha1.WasmPlugin)
			if ok && also && (was.Generation != is.Generation || was.DeletionTimestamp.IsZero() != is.DeletionTimestamp.IsZero()) {
				s.cancel(types.NamespacedName{Namespace: is.Namespace, Name: is.Name})
			}
		},
		DeleteFunc: func(object any) {
			if name, err := cache.DeletionHandlingObjectToName(object); err == nil {
				s.cancel(types.NamespacedName{Namespace: name.Namespace, Name: name.Name})
			}
		},
	}
}
