// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"slices"
	"sync"
)

const (
	// maxPulls is how many pulls run at a time.
	maxPulls = 24
	// maxFurtherPulls is how many of them are not the first of their namespace. So 16 namespaces can pull, whatever a
	// few of them do.
	maxFurtherPulls = 8
	// A namespace has several pulls at a time, but fewer from one registry, so that one that hangs does not delay those
	// from others. Those from one repository run one after another: they share a record, and mostly layers.
	maxNamespacePulls  = 4
	maxRegistryPulls   = 2
	maxRepositoryPulls = 1
)

// slots limits the pulls that run. A free slot goes to the namespace with the fewest pulls, in the order of arrival.
type slots struct {
	mu sync.Mutex
	// running are the pulls with a slot, and waiting those that would exceed a limit.
	running []pullKey
	waiting []*turn
}

// pullKey is what a pull is counted by.
type pullKey struct{ namespace, registry, repository string }

// turn is a pull that waits for a slot.
type turn struct {
	key pullKey
	// ready is closed when it has one.
	ready chan struct{}
}

// acquire waits until a pull can run. The caller calls release.
func (s *slots) acquire(ctx context.Context, key pullKey) (release func(), err error) {
	t := s.join(key)
	select {
	case <-t.ready:
		return func() { s.leave(t) }, nil
	case <-ctx.Done():
		s.leave(t)
		return nil, ctx.Err()
	}
}

// join begins a turn.
func (s *slots) join(key pullKey) *turn {
	t := &turn{key: key, ready: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = append(s.waiting, t)
	if _, ok := s.admit(key); ok { // those before it exceed a limit
		s.start(len(s.waiting) - 1)
	}
	return t
}

// start gives a slot to a waiting pull. The caller holds the lock.
func (s *slots) start(i int) {
	s.running = append(s.running, s.waiting[i].key)
	close(s.waiting[i].ready)
	s.waiting = slices.Delete(s.waiting, i, i+1)
}

// leave ends a turn, whether it has a slot or waits.
func (s *slots) leave(t *turn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.waiting, t); i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
		return
	}
	i := slices.Index(s.running, t.key)
	s.running = slices.Delete(s.running, i, i+1)
	for next := s.next(); next >= 0; next = s.next() {
		s.start(next)
	}
}

// next returns the index of the waiting pull that gets the next slot, or -1.
func (s *slots) next() int {
	next, fewest := -1, maxNamespacePulls
	for i, t := range s.waiting {
		if n, ok := s.admit(t.key); ok && n < fewest {
			next, fewest = i, n
		}
		if fewest == 0 {
			break
		}
	}
	return next
}

// admit reports whether a pull would exceed no limit, and how many pulls its namespace has.
func (s *slots) admit(key pullKey) (inNamespace int, ok bool) {
	inRegistry, inRepository, further := 0, 0, 0
	for i, r := range s.running {
		if slices.ContainsFunc(s.running[:i], func(other pullKey) bool { return other.namespace == r.namespace }) {
			further++
		}
		if r.namespace != key.namespace {
			continue
		}
		inNamespace++
		if r.registry == key.registry {
			inRegistry++
		}
		if r == key {
			inRepository++
		}
	}
	return inNamespace, len(s.running) < maxPulls && (inNamespace == 0 || further < maxFurtherPulls) &&
		inNamespace < maxNamespacePulls && inRegistry < maxRegistryPulls && inRepository < maxRepositoryPulls
}
