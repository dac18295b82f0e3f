// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
	"github.com/k1s-io/k1s/internal/plugin"
)

// revision is the serving revision of a plugin, as far as the next load needs it. It is immutable, because other
// goroutines read it: Revisions.update replaces it.
type revision struct {
	*scope

	// fingerprint determines whether a load would produce the same revision again.
	fingerprint string
	digest      plugin.Digest
	// signer is who has signed its artifact. It is empty if that needs no signature.
	signer string
	// exports are those of its module.
	exports plugin.ExportSet
	status  pluginsv1alpha1.Revision
	// dispatcher is the Reconciler of the plugin's controller, which keeps it across revisions.
	dispatcher *dispatcher
	// serving notifies the decorators of the revision's runner that it serves.
	serving func()
	// track records the results of its calls.
	track *plugin.Track
	// resync means that the plugin's objects have to be reconciled again, because this revision replaced another one.
	resync bool
	// probation is set while the revision can be rolled back to the previous one.
	probation *probation
	// rejected is the revision that failed and was rolled back, so that this one serves again.
	rejected *rejection
	// unserved is set while the API server does not serve the revision's kinds as it needs them.
	unserved *problem
}

// scope is a plan whose kinds are resolved.
type scope struct {
	plan  plan.Plan
	kinds plan.Kinds
	// finalizer is nil for a plugin that does not finalize.
	finalizer Finalizer
}

// Revisions owns the serving revision of each plugin, and its replacement. It is empty after a restart, and everything
// is loaded again.
type Revisions struct {
	slots *plugin.Registry
	clock clock.PassiveClock

	mu      sync.Mutex
	serving map[types.NamespacedName]*revision
	// writes are the writes of each plugin, by all of its revisions.
	writes map[types.NamespacedName]*access.OwnWrites
}

// NewRevisions returns a Revisions without plugins, whose revisions run in the given slots.
func NewRevisions(slots *plugin.Registry, clock clock.PassiveClock) *Revisions {
	return &Revisions{
		slots: slots, clock: clock,
		serving: map[types.NamespacedName]*revision{}, writes: map[types.NamespacedName]*access.OwnWrites{},
	}
}

// WithoutRBAC returns how many plugins serve that RBAC does not limit.
func (r *Revisions) WithoutRBAC() int {
	return len(r.names(func(x *revision) bool { return x.plan.Identity.Operator != "" }))
}

func (r *Revisions) get(name types.NamespacedName) *revision {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.serving[name]
}

// names returns the plugins with a revision for which matches returns true.
func (r *Revisions) names(matches func(*revision) bool) []types.NamespacedName {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []types.NamespacedName
	for name, x := range r.serving {
		if matches(x) {
			out = append(out, name)
		}
	}
	return out
}

// writesOf returns the record of a plugin's writes, whichever of its revisions makes them.
func (r *Revisions) writesOf(name types.NamespacedName) *access.OwnWrites {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.writes[name] == nil {
		r.writes[name] = &access.OwnWrites{}
	}
	return r.writes[name]
}

// update replaces the record of the serving revision with a changed copy, and returns that copy.
func (r *Revisions) update(name types.NamespacedName, change func(*revision)) *revision {
	next := *r.get(name)
	change(&next)
	r.set(name, &next)
	return &next
}

func (r *Revisions) set(name types.NamespacedName, x *revision) {
	x.dispatcher.scope.Store(x.scope)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.serving[name] = x
}

// using makes the serving revision use its kinds as they are served now.
func (r *Revisions) using(name types.NamespacedName, kinds plan.Kinds) *revision {
	return r.update(name, func(x *revision) {
		x.scope = &scope{plan: x.plan.Using(kinds), kinds: kinds, finalizer: x.finalizer}
		x.unserved = nil
	})
}

// install makes a new revision the serving one. The previous revision is kept until the first calls of the new one are
// evaluated.
func (r *Revisions) install(name types.NamespacedName, next *compiled) *revision {
	x := next.revision
	if current := r.get(name); current != nil {
		previous := *current
		previous.probation, previous.rejected = nil, nil
		x.resync = true
		x.probation = &probation{previous: &previous, until: r.clock.Now().Add(probationTime)}
	}
	r.set(name, x)
	r.slots.Slot(name).Try(x.track.Runner(next.runner))
	x.serving()
	return x
}

// keep ends the probation of the serving revision, which stays.
func (r *Revisions) keep(name types.NamespacedName) *revision {
	r.slots.Slot(name).Keep()
	return r.update(name, func(x *revision) { x.probation = nil })
}

// rollBack makes the previous revision the serving one again. It returns false if the slot is closed, which only
// happens when the operator stops.
func (r *Revisions) rollBack(name types.NamespacedName, back *rollback) (*revision, bool) {
	if !r.slots.Slot(name).Back() {
		return r.get(name), false
	}
	x := *back.to
	x.resync, x.rejected = true, &back.rejection
	x.serving()
	r.set(name, &x)
	return &x, true
}

// remove removes a plugin, which then has no serving revision. Its last calls may still run.
func (r *Revisions) remove(name types.NamespacedName) {
	r.mu.Lock()
	delete(r.serving, name)
	delete(r.writes, name)
	r.mu.Unlock()
	r.slots.Remove(name)
}
