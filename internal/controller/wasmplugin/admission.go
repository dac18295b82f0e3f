// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	utilwait "k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/log"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/admission"
	"github.com/k1s-io/k1s/internal/plugin"
)

const (
	defaultAdmissionTimeoutSeconds = 5

	// reasonAdmissionFailed is the reason of the events about admission requests that a plugin failed to answer.
	reasonAdmissionFailed = "AdmissionFailed"
	// reasonFieldContested is the reason of the events about fields for which two plugins set defaults.
	reasonFieldContested = "FieldContested"
	actionAdmit          = "Admit"
)

// Webhooks serves the admission requests for plugins, and manages the plugins' webhook configurations.
type Webhooks interface {
	// Set and Remove determine for which plugins this replica serves admission requests.
	Set(p *admission.Plugin)
	Remove(name types.NamespacedName)
	// Unload makes the failure policy answer the admission requests for a plugin. Its webhook configurations stay.
	Unload(name types.NamespacedName)
	// Ensure and Withdraw create, update and delete a plugin's webhook configurations, which apply to all replicas.
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

// admissionPlan configures the webhooks of a plugin.
type admissionPlan struct {
	failurePolicy  pluginsv1alpha1.FailurePolicy
	timeout        time.Duration
	objectSelector *metav1.LabelSelector
}

func planAdmission(spec pluginsv1alpha1.Admission) (admissionPlan, error) {
	if err := plugin.CheckObjectSelector(spec.ObjectSelector); err != nil {
		return admissionPlan{}, err
	}
	return admissionPlan{
		failurePolicy:  cmp.Or(spec.FailurePolicy, pluginsv1alpha1.FailurePolicyFail),
		timeout:        time.Duration(orDefault(spec.TimeoutSeconds, defaultAdmissionTimeoutSeconds)) * time.Second,
		objectSelector: spec.ObjectSelector,
	}, nil
}

// admissionCapabilities returns the plan's capabilities that need webhooks, and the verb that each of them needs.
func (p plan) admissionCapabilities() map[plugin.Capability]string {
	all := map[plugin.Capability]string{
		plugin.CapabilityValidation: admission.VerbValidate,
		plugin.CapabilityAdmission:  admission.VerbValidate,
		plugin.CapabilityDefaulting: admission.VerbMutate,
	}
	for c := range all {
		if !p.has(c) {
			delete(all, c)
		}
	}
	return all
}

// admissionVerbs returns the verbs that the ServiceAccount needs on the kinds that the plugin's webhooks match.
func (p plan) admissionVerbs() []string {
	var verbs []string
	for _, verb := range p.admissionCapabilities() {
		if !slices.Contains(verbs, verb) {
			verbs = append(verbs, verb)
		}
	}
	slices.Sort(verbs)
	return verbs
}

// checkWebhooks rejects a plugin that needs webhooks if the operator serves none.
func (r *Reconciler) checkWebhooks(_ context.Context, l *load) error {
	if r.Webhooks == nil && len(l.plan.admissionVerbs()) > 0 {
		return plugin.Reject(pluginsv1alpha1.ReasonWebhooksDisabled,
			"the operator serves no webhooks (--webhook-bind-address=0, chart value webhook.enabled): turn them on, or leave the capabilities validation, defaulting and admission out of spec.capabilities")
	}
	return nil
}

// ensureWebhooks ensures the webhooks of the serving revision, or removes them if it needs none.
func (r *Reconciler) ensureWebhooks(ctx context.Context, l *load) *problem {
	if err := r.applyWebhooks(ctx, l.plugin, r.serving.get(l.name)); err != nil {
		return &problem{
			condition: pluginsv1alpha1.ConditionServing, reason: pluginsv1alpha1.ReasonWebhooksFailed,
			message: "the plugin's webhook configurations could not be written: " + err.Error(), recovery: retry,
		}
	}
	return nil
}

// applyWebhooks ensures the webhooks of a serving revision as spec.admission configures them now. A change of spec.admission
// needs no new revision, and is what a person changes when the plugin fails.
func (r *Reconciler) applyWebhooks(ctx context.Context, wp *pluginsv1alpha1.WasmPlugin, current *revision) error {
	if r.Webhooks == nil {
		return nil
	}
	name := types.NamespacedName{Namespace: wp.Namespace, Name: wp.Name}
	if wanted, err := planAdmission(wp.Spec.Admission); err == nil { // otherwise the load reports the error, and the previous configuration stays
		next := *current // other goroutines may read the current one
		next.plan.admission = wanted
		current = &next
		r.serving.set(name, current)
	}
	p := r.admitted(wp, current)
	if len(p.Exports) == 0 {
		return r.removeWebhooks(ctx, name)
	}
	r.Webhooks.Set(p)
	if !r.leads.Load() {
		return nil
	}
	return r.Webhooks.Ensure(ctx, p)
}

// announce makes this replica call only those exports that a revision which is about to serve has, whatever the API
// server still sends because of the previous revision.
func (r *Reconciler) announce(wp *pluginsv1alpha1.WasmPlugin, next, before *revision) {
	if r.Webhooks == nil || before == nil || len(before.plan.admissionVerbs()) == 0 {
		return
	}
	r.Webhooks.Set(r.admitted(wp, next))
}

// removeWebhooks removes the webhooks of a plugin. The webhook configurations are deleted first: until then, this replica has
// to answer what the API server sends.
func (r *Reconciler) removeWebhooks(ctx context.Context, name types.NamespacedName) error {
	if r.Webhooks == nil {
		return nil
	}
	if r.leads.Load() {
		if err := r.Webhooks.Delete(ctx, name); err != nil {
			return fmt.Errorf("remove the plugin's webhook configurations: %w", err)
		}
	}
	r.Webhooks.Remove(name)
	return nil
}

// moduleConfigMap returns the ConfigMap that contains a plugin's module; it is empty for another source.
func moduleConfigMap(wp *pluginsv1alpha1.WasmPlugin) types.NamespacedName {
	source := wp.Spec.Source.ConfigMap
	if source == nil {
		return types.NamespacedName{}
	}
	return types.NamespacedName{Namespace: wp.Namespace, Name: source.Name}
}

// admitted returns the webhooks of a plugin's revision.
func (r *Reconciler) admitted(wp *pluginsv1alpha1.WasmPlugin, current *revision) *admission.Plugin {
	plan := current.plan
	name := types.NamespacedName{Namespace: wp.Namespace, Name: wp.Name}
	p := &admission.Plugin{
		Name: name, Identity: plan.identity, Runner: r.Slots.Slot(name), Operations: plan.metadata.Operations,
		FailurePolicy: plan.admission.failurePolicy, Timeout: plan.admission.timeout, ObjectSelector: plan.admission.objectSelector,
		Failed: r.reportAdmission(wp), Module: moduleConfigMap(wp),
	}
	var validates, mutates bool
	for c, verb := range plan.admissionCapabilities() {
		for _, export := range plugin.Exports(c) {
			if current.exports.Has(export) {
				p.Exports = append(p.Exports, export)
			}
		}
		validates = validates || verb == admission.VerbValidate
		mutates = mutates || verb == admission.VerbMutate
	}
	slices.Sort(p.Exports)
	for _, target := range plan.targets {
		mapping := current.rights.kinds[target.GVK]
		t := admission.Target{GVK: target.GVK, GVR: mapping.Resource, Namespaced: mapping.Scope.Name() == meta.RESTScopeNameNamespace}
		scope := scopeOf(plan.scopes(mapping))
		if validates {
			t.Validate = scope
		}
		if mutates {
			t.Mutate = scope
		}
		p.Targets = append(p.Targets, t)
	}
	return p
}

// scopeOf returns the scope of the webhooks of a serving plugin: it has its permissions in all namespaces in which it
// needs them.
func scopeOf(namespaces []string) admission.Scope {
	if slices.Contains(namespaces, "") {
		return admission.Scope{All: true}
	}
	sorted := slices.Clone(namespaces)
	slices.Sort(sorted)
	return admission.Scope{Namespaces: sorted}
}

// Contested records an Event on both plugins that set the same field. Everybody who can read the Events of a plugin's
// namespace can read its Event, so a plugin of another namespace is not named.
func (r *Reconciler) Contested(c admission.Conflict) {
	r.recordContested(c, c.Plugin, c.Other)
	r.recordContested(c, c.Other, c.Plugin)
}

func (r *Reconciler) recordContested(c admission.Conflict, name, other types.NamespacedName) {
	var wp pluginsv1alpha1.WasmPlugin
	if err := r.Client.Get(context.Background(), name, &wp); err != nil {
		return // it is being deleted, which ends the conflict
	}
	who := "a plugin of another namespace"
	if other.Namespace == name.Namespace {
		who = fmt.Sprintf("plugin %q", other.Name)
	}
	r.Events.Eventf(referenceTo(&wp), nil, corev1.EventTypeWarning, reasonFieldContested, actionAdmit,
		"%s of %s is also set by %s; which one wins is not defined", c.Field, c.Kind, who)
}

// sweepWebhooks deletes the webhook configurations of plugins that were deleted while no operator ran.
func (r *Reconciler) sweepWebhooks(ctx context.Context) {
	if r.Webhooks == nil {
		return
	}
	backoff := utilwait.Backoff{Duration: minRetry, Factor: 2, Steps: 8, Cap: maxRetry}
	err := utilwait.ExponentialBackoffWithContext(ctx, backoff, func(ctx context.Context) (bool, error) {
		err := r.Webhooks.Sweep(ctx, func(name types.NamespacedName) bool {
			return !apierrors.IsNotFound(r.Client.Get(ctx, name, &pluginsv1alpha1.WasmPlugin{}))
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

// reportAdmission returns a function that records an Event about an admission request that a plugin failed to answer. The
// recorder aggregates equal Events.
func (r *Reconciler) reportAdmission(wp *pluginsv1alpha1.WasmPlugin) func(admission.Failure) {
	regarding := referenceTo(wp)
	return func(f admission.Failure) {
		r.Events.Eventf(regarding, nil, corev1.EventTypeWarning, reasonAdmissionFailed, actionAdmit, "%s",
			truncateNote(fmt.Sprintf("%s %s: %v", f.Export, f.Key, f.Err)))
	}
}
