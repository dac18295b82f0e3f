// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"sync"

	"github.com/k1s-io/k1s/internal/watch"
)

// unselected are the objects that no longer match the plugin's label selector and that the guest has received as deleted.
// The guest receives no events of them until they match again. It is safe for concurrent use.
type unselected struct {
	mu      sync.Mutex
	objects map[watch.Request]struct{}
}

// maxDeparted limits how many objects are remembered. A queued request for an object beyond the limit delivers the
// deletion once more.
const maxDeparted = 100_000

func (d *unselected) add(req watch.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.objects == nil {
		d.objects = map[watch.Request]struct{}{}
	}
	if len(d.objects) < maxDeparted {
		d.objects[req] = struct{}{}
	}
}

func (d *unselected) has(req watch.Request) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.objects[req]
	return ok
}

func (d *unselected) remove(req watch.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.objects, req)
}
