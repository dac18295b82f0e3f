// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/admission"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
)

// Unavailable describes plugins that this replica has not loaded, whose admission requests the failure policy answers.
type Unavailable struct {
	Client    client.Reader
	Revisions *Revisions
}

// Plugin returns the admission.Plugin that answers the admission requests for a plugin that this replica has not
// loaded, or nil for a plugin that does not exist. Its answer contains only a reason, because everybody can read it:
// the message is for those who can read the WasmPlugin.
func (u Unavailable) Plugin(ctx context.Context, name types.NamespacedName) *admission.Plugin {
	var wp pluginsv1alpha1.WasmPlugin
	if err := u.Client.Get(ctx, name, &wp); err != nil {
		return nil
	}
	planned, _ := plan.NewAdmission(wp.Spec.Admission) // whatever is wrong with spec.admission, its failure policy applies
	p := &admission.Plugin{
		Name: name, FailurePolicy: planned.FailurePolicy, Timeout: planned.Timeout, Unavailable: unavailableBecause(&wp),
		Module: moduleConfigMap(&wp), Identity: plan.IdentityOf(&wp),
	}
	current := u.Revisions.get(name)
	if current != nil {
		p.Identity = current.plan.Identity
	}
	if wp.Spec.Suspend || !wp.DeletionTimestamp.IsZero() || current != nil && len(current.plan.AdmissionVerbs()) == 0 {
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
