// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access/ownwrite"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
	apikinds "github.com/k1s-io/k1s/internal/kinds"
	"github.com/k1s-io/k1s/internal/plugin"
)

// Authorizer decides what an identity, or the operator itself, is allowed to do.
type Authorizer interface {
	Authorize(ctx context.Context, id rbac.Identity, action rbac.Action) (rbac.Decision, error)
	Refresh(ctx context.Context, id rbac.Identity, action rbac.Action) (rbac.Decision, error)
	Self(ctx context.Context, action rbac.Action) (rbac.Decision, error)
	Drop(changes ...rbac.Change)
	// Watched reports whether changes of RBAC are watched.
	Watched() bool
}

// Kinds resolves how the API server serves kinds. A *kinds.Resolver implements it.
type Kinds interface {
	// Resolve returns how a kind is served in its version. The error is a *kinds.NotServedError if it is not.
	Resolve(ctx context.Context, gvk schema.GroupVersionKind) (*meta.RESTMapping, error)
	// Served returns how a kind is served in each version, the preferred one first.
	Served(ctx context.Context, gk schema.GroupKind) ([]*meta.RESTMapping, error)
	// Definition returns the name of a kind's CustomResourceDefinition, if there is one.
	Definition(ctx context.Context, gk schema.GroupKind) (string, error)
	// Invalidate makes Kinds resolve the kinds of the given groups again.
	Invalidate(groups ...string)
}

// permissions checks whether the plugin's ServiceAccount, and the operator on its behalf, have the permissions that a
// plan needs. Its errors are *plugin.LoadError, or say that the API server could not be asked.
type permissions struct {
	client     client.Reader
	authorizer Authorizer
	kinds      Kinds
	// servesWebhooks is false if the operator serves no webhooks.
	servesWebhooks bool
}

// checkServiceAccount checks that a plugin's ServiceAccount exists.
func (c permissions) checkServiceAccount(ctx context.Context, id rbac.Identity) error {
	if id.Operator != "" {
		return nil // the operator's own identity needs no ServiceAccount
	}
	sa := &metav1.PartialObjectMetadata{}
	sa.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ServiceAccount"))
	err := c.client.Get(ctx, client.ObjectKey{Namespace: id.Namespace, Name: id.ServiceAccount}, sa)
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

// checkWebhooks rejects a plugin that needs webhooks if the operator serves none.
func (c permissions) checkWebhooks(p plan.Plan) error {
	if !c.servesWebhooks && len(p.AdmissionVerbs()) > 0 {
		return plugin.Reject(pluginsv1alpha1.ReasonWebhooksDisabled,
			"the operator serves no webhooks (--webhook-bind-address=0, chart value webhook.enabled): turn them on, or leave the capabilities validation, defaulting and admission out of spec.capabilities")
	}
	return nil
}

// resolve returns how the kinds of a plan are served. The error is a *plugin.LoadError if the plan cannot use a kind as
// it is served.
func (c permissions) resolve(ctx context.Context, p plan.Plan) (plan.Kinds, error) {
	resolved := plan.Kinds{}
	for _, gvk := range p.Kinds() {
		mapping, err := c.kinds.Resolve(ctx, gvk)
		var not *apikinds.NotServedError
		switch {
		case errors.As(err, &not) && len(not.Served) > 0:
			return nil, plugin.Reject(pluginsv1alpha1.ReasonKindVersionNotServed,
				"%v: use a module for one that is served, or serve %s again in its CustomResourceDefinition", not, gvk.Version)
		case errors.As(err, &not):
			return nil, plugin.Reject(pluginsv1alpha1.ReasonKindNotFound,
				"%v: install its CustomResourceDefinition; the plugin loads as soon as it is there", not)
		case err != nil:
			return nil, err
		}
		if mapping.Scope.Name() == meta.RESTScopeNameRoot && !p.Allowlist.Namespaces.All() {
			return nil, plugin.Reject(pluginsv1alpha1.ReasonNamespacesRequired,
				`kind %q is cluster-scoped: add "*" to spec.security.allowedNamespaces to let the plugin have it`, gvk.Kind)
		}
		resolved[gvk] = mapping
	}
	return resolved, nil
}

// checkImpersonation checks that the operator is allowed to impersonate a plugin's ServiceAccount, and to mark the
// plugin's writes. A plugin that acts as the operator needs no impersonation, unless its writes are marked.
func (c permissions) checkImpersonation(ctx context.Context, id rbac.Identity) error {
	if id.Operator != "" && (!c.servesWebhooks || !id.Marked()) {
		return nil
	}
	namespace, name, _ := id.Account()
	act := rbac.Action{
		Verb: "impersonate", Version: "v1", Resource: "serviceaccounts",
		Namespace: namespace, ObjectName: name, Namespaced: true,
	}
	d, err := c.authorizer.Self(ctx, act)
	if err != nil {
		return err
	}
	if !d.Allowed {
		return plugin.Reject(pluginsv1alpha1.ReasonOperatorForbidden,
			"the operator itself cannot %s: allow plugins in this namespace (chart value impersonation.namespaces)", act)
	}
	if !c.servesWebhooks {
		return nil
	}
	// Without this permission, every write of the plugin would be forbidden.
	mark := rbac.Action{Verb: "impersonate", Group: authenticationv1.GroupName, Version: "v1", Resource: "userextras", Subresource: ownwrite.ExtraKey}
	if d, err = c.authorizer.Self(ctx, mark); err != nil {
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
func (c permissions) checkOperator(ctx context.Context, p plan.Plan, kinds plan.Kinds) error {
	if err := c.checkImpersonation(ctx, p.Identity); err != nil {
		return err
	}
	for _, gvk := range p.Watched() {
		verbs := p.WatchVerbs(gvk)
		for _, verb := range verbs {
			a := plan.ActionOn(kinds[gvk], verb, "")
			d, err := c.authorizer.Self(ctx, a)
			if err != nil {
				return err
			}
			if !d.Allowed {
				return plugin.Reject(pluginsv1alpha1.ReasonOperatorForbidden,
					"the operator itself cannot %s: create a ClusterRole with %s on %s and the label %s=\"true\"",
					a, strings.Join(verbs, " and "), plan.ResourceName(kinds[gvk]), pluginsv1alpha1.LabelAggregateToWatch)
			}
		}
	}
	return nil
}

// decide decides whether an identity is allowed an action: from cached decisions, or by asking the API server.
type decide func(ctx context.Context, id rbac.Identity, action rbac.Action) (rbac.Decision, error)

// missing returns the permissions that the plugin's ServiceAccount lacks, with only the verbs that it lacks.
func missing(ctx context.Context, p plan.Plan, kinds plan.Kinds, decide decide) ([]plan.Permission, error) {
	var out []plan.Permission
	for _, needed := range p.Permissions(kinds) {
		lacks := plan.Permission{Mapping: needed.Mapping, Namespace: needed.Namespace}
		for _, action := range needed.Actions() {
			d, err := decide(ctx, p.Identity, action)
			if err != nil {
				return nil, err
			}
			if !d.Allowed {
				lacks.Verbs = append(lacks.Verbs, action.Verb)
			}
		}
		if len(lacks.Verbs) > 0 {
			out = append(out, lacks)
		}
	}
	return out, nil
}
