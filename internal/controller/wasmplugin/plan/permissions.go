// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/plugin"
)

// Permission is the set of verbs that a plugin's ServiceAccount needs on one resource.
type Permission struct {
	Mapping *meta.RESTMapping
	// Namespace is empty for all namespaces.
	Namespace string
	Verbs     []string
}

// String returns the permission as text.
func (p Permission) String() string {
	return fmt.Sprintf("%s %s in %q", p.Verbs, ResourceName(p.Mapping), p.Namespace)
}

// Actions returns the actions that the permission consists of, one for each verb.
func (p Permission) Actions() []rbac.Action {
	var out []rbac.Action
	for _, verb := range p.Verbs {
		out = append(out, ActionOn(p.Mapping, verb, p.Namespace))
	}
	return out
}

// Permissions returns the permissions that the plugin's ServiceAccount needs on the plan's kinds.
func (p Plan) Permissions(kinds Kinds) []Permission {
	var out []Permission
	for _, gvk := range p.Kinds() {
		for _, namespace := range p.scopes(kinds[gvk]) {
			out = append(out, Permission{Mapping: kinds[gvk], Namespace: namespace, Verbs: p.verbs(gvk)})
		}
	}
	return out
}

// WatchVerbs returns the verbs that the plugin's ServiceAccount, and the operator on its behalf, need on a watched
// kind.
func (p Plan) WatchVerbs(gvk schema.GroupVersionKind) []string {
	verbs := []string{"list", "watch"}
	if slices.Contains(p.Finalized(), gvk) {
		verbs = append(verbs, "patch")
	}
	return verbs
}

// verbs returns the verbs that the ServiceAccount needs on a kind.
func (p Plan) verbs(gvk schema.GroupVersionKind) []string {
	var verbs []string
	if slices.Contains(p.Watched(), gvk) {
		verbs = p.WatchVerbs(gvk)
	}
	if slices.ContainsFunc(p.Targets, func(t plugin.Target) bool { return t.GVK == gvk }) {
		verbs = append(verbs, p.AdmissionVerbs()...)
	}
	return verbs
}

// TargetVerbs returns the verbs on the plugin's target kinds as text, for a message.
func (p Plan) TargetVerbs() string {
	if len(p.Targets) == 0 {
		return "act for"
	}
	verbs := p.verbs(p.Targets[0].GVK)
	if last := len(verbs) - 1; last > 0 {
		return strings.Join(verbs[:last], ", ") + " and " + verbs[last]
	}
	return strings.Join(verbs, "")
}

// scopes returns the namespaces in which the plugin needs permissions on a kind; the empty one means all namespaces.
func (p Plan) scopes(mapping *meta.RESTMapping) []string {
	if p.Allowlist.Namespaces.All() || mapping.Scope.Name() == meta.RESTScopeNameRoot {
		return []string{""}
	}
	return p.Allowlist.Namespaces
}

// ResourceName returns the name of a resource with its group, as kubectl writes it.
func ResourceName(mapping *meta.RESTMapping) string {
	return mapping.Resource.GroupResource().String()
}

// ActionOn returns the action of a verb on all objects of a kind in a namespace; the empty namespace means all
// namespaces.
func ActionOn(mapping *meta.RESTMapping, verb, namespace string) rbac.Action {
	return rbac.Action{
		Verb: verb, Group: mapping.Resource.Group, Version: mapping.Resource.Version, Resource: mapping.Resource.Resource,
		Namespace: namespace, Namespaced: mapping.Scope.Name() == meta.RESTScopeNameNamespace,
	}
}
