// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/conditions"
	"github.com/k1s-io/k1s/internal/plugin"
)

// load is what the phases of one reconcile hand on to each other.
type load struct {
	plugin *pluginsv1alpha1.WasmPlugin
	// before is the plugin as the API server has it.
	before     *pluginsv1alpha1.WasmPlugin
	name       types.NamespacedName
	conditions *conditions.Set
	// problem is what ended the load, or nil.
	problem *problem
	// undecided means that nothing is said in the status.
	undecided bool
	// untidy is why the plugin's finalizer could not be taken off, or nil.
	untidy error

	// Set by limit: spec.runtime within the operator's ceilings.
	runtime pluginsv1alpha1.Runtime
	// Set by fetch.
	module    plugin.Module
	source    string
	fetchTime time.Duration
	// Set by verify. Describing compiles a module that carries no metadata section.
	plan         plan
	describeTime time.Duration
	// standsBy is whether the plugin is none of this replica's business.
	standsBy bool
	// Set by authorize.
	kinds kinds
	// Set by compile. The runner is nil when what serves is already what is wanted.
	runner plugin.Runner
	// serves tells the decorators that the runner serves.
	serves func()
	info   plugin.LoadInfo
	// finalizer goes with a runner of a plugin that finalizes.
	finalizer Finalizer
}

// revision is what serves for a plugin, as far as deciding about the next load needs it.
type revision struct {
	// fingerprint tells whether a load would make the same again.
	fingerprint string
	digest      plugin.Digest
	metadata    plugin.Metadata
	// dispatcher is what the plugin's controller calls.
	dispatcher *dispatcher
	plan       plan
	status     pluginsv1alpha1.Revision
	// rights are what the dispatcher uses while the revision serves.
	rights *rights
	// serves tells the decorators of its runner that it serves.
	serves func()
	// exports are those of its module.
	exports plugin.ExportSet
	// track tells how its calls end.
	track *plugin.Track
	// trial is set while the revision before can still come back.
	trial *trial
	// refused is what was taken back for this revision to serve again.
	refused *refusal
	// unserved is set while the API server does not serve the revision's kinds as it needs them.
	unserved *problem
}

// memory knows what serves, by plugin. It is empty after a restart, and everything is loaded again.
type memory struct {
	mu        sync.Mutex
	revisions map[types.NamespacedName]*revision
	// writes are what each plugin's revisions have written.
	writes map[types.NamespacedName]*access.OwnWrites
}

// writesOf returns what remembers a plugin's writes, whichever of its revisions makes them.
func (r *Reconciler) writesOf(name types.NamespacedName) *access.OwnWrites {
	m := &r.serving
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.writes == nil {
		m.writes = map[types.NamespacedName]*access.OwnWrites{}
	}
	if m.writes[name] == nil {
		m.writes[name] = &access.OwnWrites{}
	}
	return m.writes[name]
}

func (m *memory) get(name types.NamespacedName) *revision {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.revisions[name]
}

// names returns the plugins whose revision is of interest.
func (m *memory) names(interest func(*revision) bool) []types.NamespacedName {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []types.NamespacedName
	for name, r := range m.revisions {
		if interest(r) {
			out = append(out, name)
		}
	}
	return out
}

func (m *memory) set(name types.NamespacedName, r *revision) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.revisions == nil {
		m.revisions = map[types.NamespacedName]*revision{}
	}
	m.revisions[name] = r
}

func (m *memory) forget(name types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.revisions, name)
	delete(m.writes, name)
}
