// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"maps"
	"slices"
	"sync"
)

// deletions are the deleted objects whose deletion has not been handled. They are not in any informer, so they would be lost
// with a queue that is discarded.
type deletions struct {
	mu       sync.Mutex
	requests map[Request]struct{}
}

func newDeletions() *deletions { return &deletions{requests: map[Request]struct{}{}} }

func (g *deletions) add(req Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests[req] = struct{}{}
}

// remove removes a request, and reports whether it was there.
func (g *deletions) remove(req Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, ok := g.requests[req]
	delete(g.requests, req)
	return ok
}

func (g *deletions) all() []Request {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Collect(maps.Keys(g.requests))
}
