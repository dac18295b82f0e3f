// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	utilwait "k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/admission"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
)

// Webhooks serves the admission requests for plugins, and manages the plugins' webhook configurations.
type Webhooks interface {
	// Set and Remove determine for which plugins this replica serves admission requests.
	Set(p *admission.Plugin)
	Remove(name types.NamespacedName)
	// Unload makes the failure policy answer the admission requests for a plugin. Its webhook configurations stay.
	Unload(name types.NamespacedName)
	// Ensure and Delete create, update and delete a plugin's webhook configurations, which apply to all replicas.
	Ensure(ctx context.Context, p *admission.Plugin) error
	Delete(ctx context.Context, name types.NamespacedName) error
	// Follow updates the existing webhook configurations to a failure policy and to how kinds are served. It creates
	// none.
	Follow(ctx context.Context, name types.NamespacedName, policy pluginsv1alpha1.FailurePolicy, moves []admission.Move) error
	// Sweep deletes the webhook configurations of all plugins for which keep returns false.
	Sweep(ctx context.Context, keep func(types.NamespacedName) bool) error
	// Changed returns a channel that receives a value when Ensure would write something else for every plugin.
	Changed() <-chan struct{}
}

// webhooks publishes the webhooks of plugins: every replica answers their admission requests, and the leader writes
// their webhook configurations.
type webhooks struct {
	// server is nil if the operator serves no webhooks.
	server  Webhooks
	kinds   Kinds
	events  recorder
	replica *replica
}

func (w webhooks) publish(ctx context.Context, l *load, action webhooksAction) error {
	if w.server == nil {
		return nil
	}
	switch action {
	case ensureWebhooks:
		return w.ensure(ctx, l)
	case keepWebhooks:
		return w.keep(ctx, l)
	case removeWebhooks:
		return w.remove(ctx, l.name)
	}
	return nil
}

// ensure ensures the webhooks of the serving revision, or removes them if it needs none.
func (w webhooks) ensure(ctx context.Context, l *load) error {
	p := w.plugin(l.plugin, l.current)
	if len(p.Exports) == 0 {
		return w.remove(ctx, l.name)
	}
	w.server.Set(p)
	if !w.replica.leads() {
		return nil
	}
	if err := w.server.Ensure(ctx, p); err != nil {
		return fmt.Errorf("the plugin's webhook configurations could not be written: %w", err)
	}
	return nil
}

// announce makes this replica call only those exports that a revision which is about to serve has, whatever the API
// server still sends because of the previous revision.
func (w webhooks) announce(wp *pluginsv1alpha1.WasmPlugin, next, previous *revision) {
	if w.server != nil && len(previous.plan.AdmissionVerbs()) > 0 {
		w.server.Set(w.plugin(wp, next))
	}
}

// unload makes the failure policy answer the admission requests for a plugin.
func (w webhooks) unload(name types.NamespacedName) {
	if w.server != nil {
		w.server.Unload(name)
	}
}

// keep keeps the webhook configurations of a plugin that cannot serve: the operator answers its admission requests by
// the failure policy. The rules follow changes of the kinds. Otherwise, requests for a kind that is served in another
// version than the plugin's would bypass the webhooks, or would be denied by an API server that cannot convert them.
func (w webhooks) keep(ctx context.Context, l *load) error {
	w.unload(l.name)
	if !w.replica.leads() {
		return nil
	}
	p, before := l.plan, plan.Kinds(nil)
	if l.current != nil {
		p, before = l.current.plan, l.current.kinds
	}
	moves, err := w.moves(ctx, p, before)
	if err != nil {
		return err
	}
	policy := l.plugin.Spec.Admission.WithDefaults().FailurePolicy
	if err := w.server.Follow(ctx, l.name, policy, moves); err != nil {
		return fmt.Errorf("update the plugin's webhook configurations: %w", err)
	}
	return nil
}

// moves returns how the kinds of a plan are served now and how they were served before, as far as that is known. A kind
// that is not served at all keeps its rules: they match again when it is served again.
func (w webhooks) moves(ctx context.Context, p plan.Plan, before plan.Kinds) ([]admission.Move, error) {
	var moves []admission.Move
	for _, target := range p.Targets {
		served, err := w.kinds.Served(ctx, target.GVK.GroupKind())
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

// remove removes the webhooks of a plugin. The webhook configurations are deleted first: until then, this replica has to
// answer what the API server sends.
func (w webhooks) remove(ctx context.Context, name types.NamespacedName) error {
	if w.server == nil {
		return nil
	}
	if w.replica.leads() {
		if err := w.server.Delete(ctx, name); err != nil {
			return fmt.Errorf("remove the plugin's webhook configurations: %w", err)
		}
	}
	w.server.Remove(name)
	return nil
}

// plugin returns the webhooks of a plugin's revision.
func (w webhooks) plugin(wp *pluginsv1alpha1.WasmPlugin, x *revision) *admission.Plugin {
	return &admission.Plugin{
		Name: types.NamespacedName{Namespace: wp.Namespace, Name: wp.Name}, Identity: x.plan.Identity, Runner: x.dispatcher.runner,
		Exports: x.plan.AdmissionExports(x.exports), Operations: x.plan.Metadata.Operations, Targets: x.plan.AdmissionTargets(x.kinds),
		FailurePolicy: x.plan.Admission.FailurePolicy, Timeout: x.plan.Admission.Timeout, ObjectSelector: x.plan.Admission.ObjectSelector,
		Failed: w.events.admission(wp), Module: moduleConfigMap(wp),
	}
}

// moduleConfigMap returns the ConfigMap that contains a plugin's module; it is empty for another source.
func moduleConfigMap(wp *pluginsv1alpha1.WasmPlugin) types.NamespacedName {
	source := wp.Spec.Source.ConfigMap
	if source == nil {
		return types.NamespacedName{}
	}
	return types.NamespacedName{Namespace: wp.Namespace, Name: source.Name}
}

// sweep deletes the webhook configurations of plugins that were deleted while no operator ran.
func (w webhooks) sweep(ctx context.Context, reader client.Reader) {
	if w.server == nil {
		return
	}
	backoff := utilwait.Backoff{Duration: minRetry, Factor: 2, Steps: 8, Cap: maxRetry}
	err := utilwait.ExponentialBackoffWithContext(ctx, backoff, func(ctx context.Context) (bool, error) {
		err := w.server.Sweep(ctx, func(name types.NamespacedName) bool {
			return !apierrors.IsNotFound(reader.Get(ctx, name, &pluginsv1alpha1.WasmPlugin{}))
		})
		if err != nil {
			log.FromContext(ctx).Error(err, "Failed to remove the webhook configurations of deleted plugins; retrying")
		}
		return err == nil, nil
	})
	if err != nil && ctx.Err() == nil {
		log.FromContext(ctx).Error(err, "Webhook configurations of plugins that are gone are left behind")
	}
}
