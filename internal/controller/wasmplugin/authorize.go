// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/access/ownwrite"
	"github.com/k1s-io/k1s/internal/plugin"
)

// authorize checks that the plugin's ServiceAccount exists and has the permissions to watch the plugin's kinds, and
// that the operator has the permissions to watch them for the plugin.
func (r *Reconciler) authorize(ctx context.Context, l *load) *problem {
	r.guard.waitsNoMore(l.name)
	for _, step := range []func(context.Context, *load) error{
		func(ctx context.Context, l *load) error { return r.checkAccount(ctx, l.plan.identity) },
		r.checkWebhooks,
		r.resolveKinds,
		r.checkOperator,
		r.checkRights,
	} {
		if err := step(ctx, l); err != nil {
			p := problemOf(pluginsv1alpha1.ConditionAuthorized, err)
			if p.reason == pluginsv1alpha1.ReasonSourceUnavailable {
				p.reason = pluginsv1alpha1.ReasonReviewFailed
			}
			return p
		}
	}
	l.authorized()
	return nil
}

func (r *Reconciler) checkAccount(ctx context.Context, id access.Identity) error {
	if id.Operator != "" {
		return nil // the operator's own identity needs no ServiceAccount
	}
	sa := &metav1.PartialObjectMetadata{}
	sa.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ServiceAccount"))
	err := r.Client.Get(ctx, client.ObjectKey{Namespace: id.Namespace, Name: id.ServiceAccount}, sa)
	if apierrors.IsNotFound(err) {
		return plugin.Reject(pluginsv1alpha1.ReasonServiceAccountNotFound,
			"ServiceAccount %q does not exist in namespace %q: create it with `kubectl -n %s create serviceaccount %s`, or change spec.serviceAccountName",
			id.ServiceAccount, id.Namespace, id.Namespace, plugin.ShellQuote(id.ServiceAccount))
	}
	if err != nil {
		return fmt.Errorf("get ServiceAccount %q: %w", id.ServiceAccount, err)
	}
	return nil
}

// kinds returns every kind that the plugin targets or watches, once each.
func (p plan) kinds() []schema.GroupVersionKind {
	out := p.watched()
	for _, t := range p.targets {
		if !slices.Contains(out, t.GVK) {
			out = append(out, t.GVK)
		}
	}
	return out
}

// watched returns every kind that the plugin needs a watch for, once each.
func (p plan) watched() []schema.GroupVersionKind {
	var out []schema.GroupVersionKind
	for _, t := range p.watch.Targets {
		out = append(out, t.GVK)
	}
	for _, gvk := range p.watch.Owns {
		if !slices.Contains(out, gvk) {
			out = append(out, gvk)
		}
	}
	return out
}

// checkImpersonation checks that the operator is allowed to impersonate a plugin's ServiceAccount, and to mark the
// plugin's writes. A plugin that acts as the operator needs no impersonation, unless its writes are marked.
func (r *Reconciler) checkImpersonation(ctx context.Context, id access.Identity) error {
	if id.Operator != "" && (r.Webhooks == nil || !id.Marked()) {
		return nil
	}
	namespace, name, _ := id.Account()
	act := access.Action{
		Verb: "impersonate", Version: "v1", Resource: "serviceaccounts",
		Namespace: namespace, ObjectName: name, Namespaced: true,
	}
	d, err := r.Authorizer.Self(ctx, act)
	if err != nil {
		return err
	}
	if !d.Allowed {
		return plugin.Reject(pluginsv1alpha1.ReasonOperatorForbidden,
			"the operator itself cannot %s: allow plugins in this namespace (chart value impersonation.namespaces)", act)
	}
	if r.Webhooks == nil {
		return nil
	}
	// Without this permission, every write of the plugin would be forbidden.
	mark := access.Action{Verb: "impersonate", Group: authenticationv1.GroupName, Version: "v1", Resource: "userextras", Subresource: ownwrite.ExtraKey}
	if d, err = r.Authorizer.Self(ctx, mark); err != nil {
		return err
	}
	if !d.Allowed {
		return plugin.Reject(pluginsv1alpha1.ReasonOperatorForbidden,
			"the operator itself cannot %s, which marks the plugin's own writes: install the ClusterRole of this version of the operator", mark)
	}
	return nil
}

// checkOperator checks the operator's own permissions: it impersonates the ServiceAccount, runs the shared informers as
// itself, and removes finalizers from objects when the ServiceAccount cannot.
func (r *Reconciler) checkOperator(ctx context.Context, l *load) error {
	if err := r.checkImpersonation(ctx, l.plan.identity); err != nil {
		return err
	}
	for _, gvk := range l.plan.watched() {
		verbs := l.plan.watchVerbs(gvk)
		for _, verb := range verbs {
			a := action(l.kinds[gvk], verb, "")
			d, err := r.Authorizer.Self(ctx, a)
			if err != nil {
				return err
			}
			if !d.Allowed {
				return plugin.Reject(pluginsv1alpha1.ReasonOperatorForbidden,
					"the operator itself cannot %s: create a ClusterRole with %s on %s and the label %s=\"true\"",
					a, strings.Join(verbs, " and "), resourceName(l.kinds[gvk]), pluginsv1alpha1.LabelAggregateToWatch)
			}
		}
	}
	return nil
}

// checkRights checks the permissions of the plugin's ServiceAccount. Its error contains the commands that grant the
// missing ones.
func (r *Reconciler) checkRights(ctx context.Context, l *load) error {
	needed := &rights{plan: l.plan, kinds: l.kinds}
	lacks, err := needed.lacks(ctx, r.Authorizer.Refresh)
	if err != nil {
		return err
	}
	if len(lacks) == 0 {
		return nil
	}
	r.guard.wait(l.name, needed, lacks)
	return plugin.Reject(pluginsv1alpha1.ReasonAccountForbidden, "%s", grantMessage(l.plan.identity, grantsFor(lacks)))
}

func resourceName(mapping *meta.RESTMapping) string {
	return mapping.Resource.GroupResource().String()
}

// action returns the action of a verb on all objects of a kind in a namespace; the empty namespace means all
// namespaces.
func action(mapping *meta.RESTMapping, verb, namespace string) access.Action {
	return access.Action{
		Verb: verb, Group: mapping.Resource.Group, Version: mapping.Resource.Version, Resource: mapping.Resource.Resource,
		Namespace: namespace, Namespaced: mapping.Scope.Name() == meta.RESTScopeNameNamespace,
	}
}
