// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Registry holds the slot of every plugin.
type Registry struct {
	drain time.Duration

	mu    sync.Mutex
	slots map[types.NamespacedName]*Slot
}

// NewRegistry returns an empty registry. Its slots are created with the given drain time.
func NewRegistry(drain time.Duration) *Registry {
	return &Registry{drain: drain, slots: map[types.NamespacedName]*Slot{}}
}

// Slot returns the slot of a plugin. It creates an empty one if the plugin has none.
func (r *Registry) Slot(name types.NamespacedName) *Slot {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.slots[name]
	if !ok {
		s = NewSlot(r.drain)
		r.slots[name] = s
	}
	return s
}

// Remove closes the slot of a plugin and removes it.
func (r *Registry) Remove(ctx context.Context, name types.NamespacedName) error {
	r.mu.Lock()
	s, ok := r.slots[name]
	delete(r.slots, name)
	r.mu.Unlock()
	if !ok {
		return nil
	}
	return s.Close(ctx)
}

// Close closes and removes all slots.
func (r *Registry) Close(ctx context.Context) error {
	r.mu.Lock()
	slots := r.slots
	r.slots = map[types.NamespacedName]*Slot{}
	r.mu.Unlock()
	var wg sync.WaitGroup
	failed := make(chan error, len(slots))
	for _, s := range slots {
		wg.Go(func() { failed <- s.Close(ctx) })
	}
	wg.Wait()
	close(failed)
	var err error
	for e := range failed {
		err = errors.Join(err, e)
	}
	return err
}
