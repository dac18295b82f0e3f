// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Registry holds the slot of every plugin.
type Registry struct {
	drain time.Duration

	mu    sync.Mutex
	slots map[types.NamespacedName]*Slot
	// removed are slots whose last calls have not ended.
	removed map[*Slot]struct{}
}

// NewRegistry returns an empty registry. Its slots are created with the given drain time.
func NewRegistry(drain time.Duration) *Registry {
	return &Registry{drain: drain, slots: map[types.NamespacedName]*Slot{}, removed: map[*Slot]struct{}{}}
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

// Remove removes the slot of a plugin, and closes it in the background, after its last call.
func (r *Registry) Remove(name types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.slots[name]
	if !ok {
		return
	}
	delete(r.slots, name)
	r.removed[s] = struct{}{}
	s.shut()
	go func() {
		s.leaving.Wait()
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.removed, s)
	}()
}

// Close closes and removes all slots, and waits for those that Remove has removed.
func (r *Registry) Close(ctx context.Context) error {
	r.mu.Lock()
	slots := slices.AppendSeq(slices.Collect(maps.Values(r.slots)), maps.Keys(r.removed))
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
