// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"maps"
	"slices"
	"sync"
)

// gone are the objects that are no more and whose end has not been dealt with. No informer knows of
// them, so that a queue that is thrown away would take them with it.
type gone struct {
	mu       sync.Mutex
	requests map[Request]struct{}
}

func newGone() *gone { return &gone{requests: map[Request]struct{}{}} }

func (g *gone) add(req Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests[req] = struct{}{}
}

// remove reports whether the request was there.
func (g *gone) remove(req Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, ok := g.requests[req]
	delete(g.requests, req)
	return ok
}

func (g *gone) all() []Request {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Collect(maps.Keys(g.requests))
}
