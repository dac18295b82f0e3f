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

// load is the state that the phases of one reconcile share.
type load struct {
	plugin *pluginsv1alpha1.WasmPlugin
	// before is the plugin as the API server has it.
	before     *pluginsv1alpha1.WasmPlugin
	name       types.NamespacedName
	conditions *conditions.Set
	// problem is what ended the load, or nil.
	problem *problem
	// undecided means that the status is not updated.
	undecided bool
	// cleanupPending is why the plugin's finalizer could not be removed, or nil.
	cleanupPending error

	// Set by limit: spec.runtime within the operator's ceilings.
	runtime pluginsv1alpha1.Runtime
	// Set by fetch.
	module    plugin.Module
	source    string
	fetchTime time.Duration
	// Set by verify. Describing compiles a module that carries no metadata section.
	plan         plan
	describeTime time.Duration
	// isStandby is true if this replica does not load the plugin.
	isStandby bool
	// Set by authorize.
	kinds kinds
	// Set by compile. The runner is nil if the wanted revision serves already.
	runner plugin.Runner
	// serving notifies the decorators that the runner serves.
	serving func()
	info    plugin.LoadInfo
	// finalizer belongs to the runner of a plugin that finalizes.
	finalizer Finalizer
}

// revision is the serving revision of a plugin, as far as the next load needs it.
type revision struct {
	// fingerprint determines whether a load would produce the same revision again.
	fingerprint string
	digest      plugin.Digest
	metadata    plugin.Metadata
	// dispatcher is the Reconciler of the plugin's controller.
	dispatcher *dispatcher
	plan       plan
	status     pluginsv1alpha1.Revision
	// rights are what the dispatcher uses while the revision serves.
	rights *rights
	// serving notifies the decorators of the revision's runner that it serves.
	serving func()
	// exports are those of its module.
	exports plugin.ExportSet
	// track records the results of its calls.
	track *plugin.Track
	// probation is set while the revision can be rolled back to the previous one.
	probation *probation
	// rejected is the revision that failed and was rolled back, so that this one serves again.
	rejected *rejection
	// unserved is set while the API server does not serve the revision's kinds as it needs them.
	unserved *problem
}

// memory contains the serving revision of each plugin. It is empty after a restart, and everything is loaded again.
type memory struct {
	mu        sync.Mutex
	revisions map[types.NamespacedName]*revision
	// writes are the writes of each plugin, by all of its revisions.
	writes map[types.NamespacedName]*access.OwnWrites
}

// writesOf returns the record of a plugin's writes, whichever of its revisions makes them.
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

// names returns the plugins with a revision for which interest returns true.
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
