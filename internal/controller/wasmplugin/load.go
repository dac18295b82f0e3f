// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/conditions"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
	"github.com/k1s-io/k1s/internal/plugin"
)

// load is the state that the phases of one reconcile share. Each field is set by one phase, for the following ones.
type load struct {
	plugin *pluginsv1alpha1.WasmPlugin
	// stored is the plugin as the API server has it.
	stored     *pluginsv1alpha1.WasmPlugin
	name       types.NamespacedName
	conditions *conditions.Set
	// current is the serving revision, or nil.
	current *revision
	// problem is what ended the load, or nil.
	problem *problem
	// undecided means that the status is not updated.
	undecided bool

	// Set by follow: the kinds of the serving revision are served in another way than its watches need.
	kindsChanged bool
	// Set by evaluate: the serving revision is to be rolled back to the previous one.
	rollback *rollback
	// Set by limit: spec.runtime within the operator's ceilings.
	runtime pluginsv1alpha1.Runtime
	// Set by fetch.
	module    plugin.Module
	source    string
	fetchTime time.Duration
	// Set by fetch: the delay before the module is fetched again without an event; 0 means never.
	fetchAgain time.Duration
	// Set by fetch: the artifact must be signed.
	needsSignature bool
	// Set by verify. Describing compiles a module that carries no metadata section.
	plan         plan.Plan
	describeTime time.Duration
	// Set by verify: this replica does not load the plugin.
	isStandby bool
	// Set by authorize.
	kinds plan.Kinds
	// Set by compile; nil if the wanted revision serves already.
	compiled *compiled
	// Set by publish: whether the plugin's controller runs, if the serving revision needs one.
	watching bool
	// Set by publish: why the plugin's finalizer could not be removed from objects, or nil.
	cleanupPending error
}

// compiled is a revision that was compiled and initialized, and its Runner.
type compiled struct {
	revision *revision
	runner   plugin.Runner
}

func newLoad(wp *pluginsv1alpha1.WasmPlugin, current *revision) *load {
	return &load{
		plugin: wp, stored: wp.DeepCopy(), name: types.NamespacedName{Namespace: wp.Namespace, Name: wp.Name},
		conditions: conditions.For(&wp.Status.Conditions, wp.Generation), current: current,
	}
}

// phaseConditions returns the conditions of the phases, in their order.
func phaseConditions() []string {
	return []string{
		// The signature is verified before the module is pulled. Only plugins that need one have this condition.
		pluginsv1alpha1.ConditionSignatureVerified,
		pluginsv1alpha1.ConditionFetched,
		pluginsv1alpha1.ConditionVerified,
		pluginsv1alpha1.ConditionSettingsValid,
		pluginsv1alpha1.ConditionAuthorized,
		pluginsv1alpha1.ConditionCompiled,
	}
}

// fail records the problem that ends the load, in its condition and those of the phases that did not run.
func (l *load) fail(p *problem) {
	p.message = l.plan.Redact.Text(p.message) // the message should not contain secrets any more; this makes sure
	l.problem = p
	l.conditions.False(p.condition, p.reason, p.message)
	later := false
	for _, c := range phaseConditions() {
		if later {
			l.conditions.Unknown(c, pluginsv1alpha1.ReasonPending, fmt.Sprintf("waits for %s", p.condition))
		}
		later = later || c == p.condition
	}
}
