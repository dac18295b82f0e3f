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

	// reasonAdmissionFailed is the reason of the events about requests that a plugin could not answer.
	reasonAdmissionFailed = "AdmissionFailed"
	// reasonFieldContested is the reason of the events about fields that two plugins default.
	reasonFieldContested = "FieldContested"
	actionAdmit          = "Admit"
)

// Webhooks serve the requests that are held up for plugins, and have the API server send them.
type Webhooks interface {
	// Set and Remove say what is served by this replica.
	Set(p *admission.Plugin)
	Remove(name types.NamespacedName)
	// Unload has requests answered by the failure policy; the configurations stay.
	Unload(name types.NamespacedName)
	// Ensure and Withdraw say what the API server sends to whichever replica.
	Ensure(ctx context.Context, p *admission.Plugin) error
	Withdraw(ctx context.Context, name types.NamespacedName) error
	// Follow adapts the configurations that there are to a failure policy and to how kinds are served, and makes none.
	Follow(ctx context.Context, name types.NamespacedName, policy pluginsv1alpha1.FailurePolicy, moves []admission.Move) error
	// Sweep withdraws what is left of plugins that are not to be kept.
	Sweep(ctx context.Context, keep func(types.NamespacedName) bool) error
	// Changed gets a value when Ensure would write something else for every plugin.
	Changed() <-chan struct{}
}

// admissionPlan says how requests are held up for a plugin.
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

// admissionCapabilities are those that hold requests up, and the verb that each needs.
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

// admissionVerbs are the verbs that the account needs on the kinds whose requests are held up.
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

// checkWebhooks refuses a plugin that holds requests up where no webhooks are served.
func (r *Reconciler) checkWebhooks(_ context.Context, l *load) error {
	if r.Webhooks == nil && len(l.plan.admissionVerbs()) > 0 {
		return plugin.Refuse(pluginsv1alpha1.ReasonWebhooksDisabled,
			"the operator serves no webhooks (--webhook-bind-address=0, chart value webhook.enabled): turn them on, or leave the capabilities validation, defaulting and admission out of spec.capabilities")
	}
	return nil
}

// holdUp has requests held up for what serves, or no longer if it asks for none.
func (r *Reconciler) holdUp(ctx context.Context, l *load) *problem {
	if err := r.hold(ctx, l.plugin, r.serving.get(l.name)); err != nil {
		return &problem{
			condition: pluginsv1alpha1.ConditionServing, reason: pluginsv1alpha1.ReasonWebhooksFailed,
			message: "the plugin's webhook configurations could not be written: " + err.Error(), recovery: retry,
		}
	}
	return nil
}

// hold has requests held up for a revision that serves, in the way that spec.admission asks for: that needs no other
// revision, and is what a person changes when the plugin fails.
func (r *Reconciler) hold(ctx context.Context, wp *pluginsv1alpha1.WasmPlugin, current *revision) error {
	if r.Webhooks == nil {
		return nil
	}
	name := types.NamespacedName{Namespace: wp.Namespace, Name: wp.Name}
	if wanted, err := planAdmission(wp.Spec.Admission); err == nil { // otherwise the load says so, and it stays
		next := *current // others may be reading this one
		next.plan.admission = wanted
		current = &next
		r.serving.set(name, current)
	}
	p := r.admitted(wp, current)
	if len(p.Exports) == 0 {
		return r.release(ctx, name)
	}
	r.Webhooks.Set(p)
	if !r.leads.Load() {
		return nil
	}
	return r.Webhooks.Ensure(ctx, p)
}

// announce has this replica ask a revision that is about to serve for nothing that it does not have, whatever the API
// server still sends because of the one before.
func (r *Reconciler) announce(wp *pluginsv1alpha1.WasmPlugin, next, before *revision) {
	if r.Webhooks == nil || before == nil || len(before.plan.admissionVerbs()) == 0 {
		return
	}
	r.Webhooks.Set(r.admitted(wp, next))
}

// release has no requests held up for a plugin. The API server is told first: what it still sends must find
// somebody to answer.
func (r *Reconciler) release(ctx context.Context, name types.NamespacedName) error {
	if r.Webhooks == nil {
		return nil
	}
	if r.leads.Load() {
		if err := r.Webhooks.Withdraw(ctx, name); err != nil {
			return fmt.Errorf("remove the plugin's webhook configurations: %w", err)
		}
	}
	r.Webhooks.Remove(name)
	return nil
}

// moduleConfigMap is the ConfigMap with a plugin's module, empty for another source.
func moduleConfigMap(wp *pluginsv1alpha1.WasmPlugin) types.NamespacedName {
	source := wp.Spec.Source.ConfigMap
	if source == nil {
		return types.NamespacedName{}
	}
	return types.NamespacedName{Namespace: wp.Namespace, Name: source.Name}
}

// admitted is what requests are held up for.
func (r *Reconciler) admitted(wp *pluginsv1alpha1.WasmPlugin, current *revision) *admission.Plugin {
	plan := current.plan
	name := types.NamespacedName{Namespace: wp.Namespace, Name: wp.Name}
	p := &admission.Plugin{
		Name: name, Identity: plan.identity, Runner: r.Slots.Slot(name), Operations: plan.metadata.Operations,
		FailurePolicy: plan.admission.failurePolicy, Timeout: plan.admission.timeout, ObjectSelector: plan.admission.objectSelector,
		Failed: r.tellAdmission(wp), Module: moduleConfigMap(wp),
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

// scopeOf is where a plugin that serves has its rights: wherever it needs them.
func scopeOf(namespaces []string) admission.Scope {
	if slices.Contains(namespaces, "") {
		return admission.Scope{All: true}
	}
	sorted := slices.Clone(namespaces)
	slices.Sort(sorted)
	return admission.Scope{Namespaces: sorted}
}

// Contested records on both plugins that they set the same field. Events are for who may read those of a plugin's
// namespace, so a plugin of another namespace is not named.
func (r *Reconciler) Contested(c admission.Conflict) {
	r.recordContested(c, c.Plugin, c.Other)
	r.recordContested(c, c.Other, c.Plugin)
}

func (r *Reconciler) recordContested(c admission.Conflict, name, other types.NamespacedName) {
	var wp pluginsv1alpha1.WasmPlugin
	if err := r.Client.Get(context.Background(), name, &wp); err != nil {
		return // it is being deleted, and with it the conflict
	}
	who := "a plugin of another namespace"
	if other.Namespace == name.Namespace {
		who = fmt.Sprintf("plugin %q", other.Name)
	}
	r.Events.Eventf(referenceTo(&wp), nil, corev1.EventTypeWarning, reasonFieldContested, actionAdmit,
		"%s of %s is also set by %s; which one wins is not defined", c.Field, c.Kind, who)
}

// sweepWebhooks withdraws what is left of plugins that were deleted while no operator was there.
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
			log.FromContext(ctx).Error(err, "Failed to remove the webhook configurations of plugins that are gone; trying again")
		}
		return err == nil, nil
	})
	if err != nil && ctx.Err() == nil {
		log.FromContext(ctx).Error(err, "Webhook configurations of plugins that are gone are left behind")
	}
}

// tellAdmission returns what tells of requests that a plugin could not answer. The recorder joins equal events.
func (r *Reconciler) tellAdmission(wp *pluginsv1alpha1.WasmPlugin) func(admission.Failure) {
	regarding := referenceTo(wp)
	return func(f admission.Failure) {
		r.Events.Eventf(regarding, nil, corev1.EventTypeWarning, reasonAdmissionFailed, actionAdmit, "%s",
			truncateNote(fmt.Sprintf("%s %s: %v", f.Export, f.Key, f.Err)))
	}
}
