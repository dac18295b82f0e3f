// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"cmp"
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/admission"
)

// keepWebhooks keeps the webhook configurations of a plugin that cannot serve: the operator answers its admission
// requests by the failure policy. The rules follow changes of the kinds. Otherwise, requests for a kind that is served
// in another version than the plugin's would bypass the webhooks, or would be denied by an API server that cannot
// convert them.
func (r *Reconciler) keepWebhooks(ctx context.Context, l *load, current *revision) error {
	if r.Webhooks == nil || !r.leads.Load() {
		return nil
	}
	plan, before := l.plan, kinds(nil)
	if current != nil {
		plan, before = current.plan, current.rights.kinds
	}
	moves, err := r.moves(ctx, plan, before)
	if err != nil {
		return err
	}
	policy := cmp.Or(l.plugin.Spec.Admission.FailurePolicy, pluginsv1alpha1.FailurePolicyFail)
	if err := r.Webhooks.Follow(ctx, l.name, policy, moves); err != nil {
		return fmt.Errorf("update the plugin's webhook configurations: %w", err)
	}
	return nil
}

// moves returns how the kinds of a plan are served now and how they were served before, as far as that is known. A kind
// that is not served at all keeps its rules: they match again when it is served again.
func (r *Reconciler) moves(ctx context.Context, p plan, before kinds) ([]admission.Move, error) {
	var moves []admission.Move
	for _, target := range p.targets {
		served, err := r.Kinds.Served(ctx, target.GVK.GroupKind())
		if err != nil {
			return nil, err
		}
		if len(served) == 0 {
			continue
		}
		move := admission.Move{
			From: served[0].Resource.GroupResource(), Resource: served[0].Resource.Resource,
			Namespaced: served[0].Scope.Name() == meta.RESTScopeNameNamespace,
		}
		if mapping := before[target.GVK]; mapping != nil {
			move.From = mapping.Resource.GroupResource()
		}
		for _, mapping := range served {
			if mapping.GroupVersionKind == target.GVK {
				move.Versions = []string{target.GVK.Version}
				break
			}
			move.Versions = append(move.Versions, mapping.Resource.Version)
		}
		moves = append(moves, move)
	}
	return moves, nil
}

// Unavailable returns the admission.Plugin that answers the admission requests for a plugin that this replica has not
// loaded, or nil for a plugin that does not exist. Its answer contains only a reason, because everybody can read it:
// the message is for those who can read the WasmPlugin.
func (r *Reconciler) Unavailable(ctx context.Context, name types.NamespacedName) *admission.Plugin {
	var wp pluginsv1alpha1.WasmPlugin
	if err := r.Client.Get(ctx, name, &wp); err != nil {
		return nil
	}
	planned, err := planAdmission(wp.Spec.Admission)
	if err != nil { // whatever else is wrong with spec.admission, its failure policy applies
		planned, _ = planAdmission(pluginsv1alpha1.Admission{FailurePolicy: wp.Spec.Admission.FailurePolicy})
	}
	p := &admission.Plugin{
		Name: name, FailurePolicy: planned.failurePolicy, Timeout: planned.timeout, Unavailable: unavailableBecause(&wp),
		Module: moduleConfigMap(&wp),
		Identity: access.Identity{
			Namespace: name.Namespace, Plugin: name.Name, ServiceAccount: cmp.Or(wp.Spec.ServiceAccountName, defaultServiceAccount),
		},
	}
	current := r.serving.get(name)
	if current != nil {
		p.Identity = current.plan.identity
	}
	if wp.Spec.Suspend || !wp.DeletionTimestamp.IsZero() || current != nil && len(current.plan.admissionVerbs()) == 0 {
		// The plugin has no webhooks, and its webhook configurations are about to be deleted.
		p.FailurePolicy = pluginsv1alpha1.FailurePolicyIgnore
	}
	return p
}

// unavailableBecause returns the end of the sentence "the plugin …".
func unavailableBecause(wp *pluginsv1alpha1.WasmPlugin) string {
	ready := meta.FindStatusCondition(wp.Status.Conditions, pluginsv1alpha1.ConditionReady)
	switch {
	case wp.Spec.Suspend:
		return "is suspended"
	case !wp.DeletionTimestamp.IsZero():
		return "is being deleted"
	case ready == nil || ready.Status == metav1.ConditionTrue || ready.ObservedGeneration != wp.Generation:
		return "is being loaded"
	}
	return fmt.Sprintf("cannot serve (%s)", ready.Reason)
}
