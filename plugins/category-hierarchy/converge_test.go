// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand/v2"
	"testing"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/k1stest"
)

// TestConverge changes a hierarchy at random, a few categories at a time, and reconciles only what the operator would:
// categories that were changed or written, and those whose reconcile failed or asked for a requeue. Whenever the queue
// is empty, every category must be in its place. Some calls fail at random.
func TestConverge(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			w := newWorld(t, settings{maxDepth: 3})
			budget := 0 // how many calls may still fail in this round
			w.host.Intercept(func(c k1stest.Call) error {
				if budget > 0 && c.Verb != k1stest.VerbEvent && r.IntN(8) == 0 {
					budget--
					return k1s.NewError(k1s.ReasonServerTimeout, "at random")
				}
				return nil
			})
			parents := map[string]string{}
			for round := range 40 {
				budget = 5
				var queue []string
				for range 1 + r.IntN(3) {
					queue = append(queue, w.change(r, parents))
				}
				for step := 0; len(queue) > 0; step++ {
					if step == 2000 {
						t.Fatalf("round %d does not come to rest; left are %q", round, queue)
					}
					queue = w.next(r, queue)
				}
				for name := range parents {
					if got, want := w.stands(name), oracle(parents, name, 3); got != want {
						t.Fatalf("round %d: %s: got %+v, want %+v, parents %v", round, name, got, want, parents)
					}
				}
			}
		})
	}
}

// change creates, moves or deletes a category and returns its name.
func (w *world) change(r *rand.Rand, parents map[string]string) string {
	one := func() string { return string(rune('a' + r.IntN(8))) }
	name := one()
	if _, there := parents[name]; there && r.IntN(4) == 0 {
		delete(parents, name)
		w.remove(name)
		return name
	}
	parents[name] = ""
	if r.IntN(4) > 0 {
		parents[name] = one()
	}
	w.put(name, parents[name])
	return name
}

// next reconciles a random category of the queue, and queues what follows from it.
func (w *world) next(r *rand.Rand, queue []string) []string {
	if len(queue) == 0 {
		return queue
	}
	i := r.IntN(len(queue))
	name := queue[i]
	queue = append(queue[:i:i], queue[i+1:]...)
	w.host.ClearRecords()
	versions := w.versions()
	_, err := w.host.Reconcile(w.handler, key(name))
	if err != nil {
		queue = append(queue, name)
	}
	// Only real changes are events.
	for changed, version := range w.versions() {
		if versions[changed] != version {
			queue = append(queue, changed)
		}
	}
	return queue
}

// versions returns the resource versions of all categories.
func (w *world) versions() map[string]string {
	versions := map[string]string{}
	for c := 'a'; c <= 'h'; c++ {
		if o := w.host.Object((*category)(nil).TypeRef(), key(string(c))); o != nil {
			versions[string(c)] = o.Meta().ResourceVersion
		}
	}
	return versions
}

// oracle computes the place of a category from the parents alone.
func oracle(parents map[string]string, name string, maxDepth int32) stands {
	path, depth := name, int32(0)
	seen := map[string]bool{name: true}
	for parent := parents[name]; parent != ""; parent = parents[parent] {
		if seen[parent] {
			return without(reasonCycle)
		}
		if _, there := parents[parent]; !there {
			return without(reasonParentNotFound)
		}
		seen[parent] = true
		path = parent + "/" + path
		depth++
	}
	if depth > maxDepth {
		return stands{depth, path, k1s.ConditionFalse, reasonTooDeep}
	}
	return within(depth, path)
}
