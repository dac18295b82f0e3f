// SPDX-License-Identifier: Apache-2.0

package access

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access/rbac"
)

func TestNewAllowlist_absentAndEmpty(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, why string
		security  pluginsv1alpha1.Security
		want      Allowlist
	}{
		{"absent", "the account decides, in the plugin's own namespace", pluginsv1alpha1.Security{}, Allowlist{Namespaces: []string{"home"}}},
		{
			"empty", "nothing is allowed",
			pluginsv1alpha1.Security{AllowedResources: []string{}, AllowedVerbs: []pluginsv1alpha1.Verb{}, AllowedNamespaces: []string{}},
			Allowlist{Resources: []string{}, Verbs: []string{}, Namespaces: []string{}},
		},
		{
			"given", "it is taken as it is",
			pluginsv1alpha1.Security{AllowedResources: []string{"items"}, AllowedVerbs: []pluginsv1alpha1.Verb{"get"}, AllowedNamespaces: []string{"*"}},
			Allowlist{Resources: []string{"items"}, Verbs: []string{"get"}, Namespaces: []string{"*"}},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, NewAllowlist(c.security, "home")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.why, diff)
			}
		})
	}
}

func TestAllowlist_resources(t *testing.T) {
	t.Parallel()
	var (
		deployment = rbac.Action{Verb: "get", Group: "apps", Resource: "deployments", Namespace: "home"}
		scale      = rbac.Action{Verb: "get", Group: "apps", Resource: "deployments", Subresource: "scale", Namespace: "home"}
		status     = rbac.Action{Verb: "get", Group: "apps", Resource: "deployments", Subresource: "status", Namespace: "home"}
		pod        = rbac.Action{Verb: "get", Resource: "pods", Namespace: "home"}
	)
	cases := []struct {
		name, why string
		entries   []string
		action    rbac.Action
		allowed   bool
	}{
		{"absent", "every resource", nil, pod, true},
		{"absent, subresource", "and every subresource", nil, scale, true},
		{"empty", "no resource", []string{}, pod, false},
		{"name", "any group that has it", []string{"deployments"}, deployment, true},
		{"name of core", "the core group has no name", []string{"pods"}, pod, true},
		{"another name", "not this one", []string{"pods"}, deployment, false},
		{"a part of the name", "names are whole", []string{"deploy"}, deployment, false},
		{"group", "this one", []string{"deployments.apps"}, deployment, true},
		{"another group", "not this one", []string{"deployments.extensions"}, deployment, false},
		{"a part of the group", "groups are whole", []string{"deployments.app"}, deployment, false},
		{"group of core", "it has none", []string{"pods.apps"}, pod, false},
		{"group with dots", "everything behind the first dot", []string{"items.inventory.example.com"}, rbac.Action{Verb: "get", Group: "inventory.example.com", Resource: "items", Namespace: "home"}, true},
		{"name, subresource", "a resource is not its subresources", []string{"deployments"}, status, false},
		{"subresource", "this one", []string{"deployments/status"}, status, true},
		{"subresource, another", "not this one", []string{"deployments/status"}, scale, false},
		{"subresource alone", "it is not the resource", []string{"deployments/status"}, deployment, false},
		{"subresource with group", "both count", []string{"deployments.apps/status"}, status, true},
		{"subresource with another group", "both count", []string{"deployments.extensions/status"}, status, false},
		{"every subresource", "of this resource", []string{"deployments/*"}, scale, true},
		{"every subresource, resource", "the resource is none of them", []string{"deployments/*"}, deployment, false},
		{"one subresource of all", "any resource's status", []string{"*/status"}, status, true},
		{"one subresource of all, resource", "not the resource", []string{"*/status"}, pod, false},
		{"everything", "every resource", []string{"*"}, deployment, true},
		{"everything, subresource", "but no subresource", []string{"*"}, status, false},
		{"everything of a group", "this group", []string{"*.apps"}, deployment, true},
		{"everything of another group", "not this group", []string{"*.apps"}, pod, false},
		{"every subresource of all", "any of them", []string{"*/*"}, scale, true},
		{"every subresource of all, resource", "still no resource", []string{"*/*"}, pod, false},
		{"second entry", "one is enough", []string{"items", "pods"}, pod, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			why := Allowlist{Resources: c.entries, Namespaces: []string{"home"}}.Denies(c.action)
			if got := why == ""; got != c.allowed {
				t.Errorf("%s: allowed is %t, want %t (%s)", c.why, got, c.allowed, why)
			}
		})
	}
}

func TestAllowlist_denies(t *testing.T) {
	t.Parallel()
	here := rbac.Action{Verb: "get", Resource: "pods", Namespace: "home", Namespaced: true}
	all := rbac.Action{Verb: "list", Resource: "pods", Namespaced: true}
	node := rbac.Action{Verb: "get", Resource: "nodes", ObjectName: "n"}
	cases := []struct {
		name   string
		list   Allowlist
		action rbac.Action
		want   string
	}{
		{"verb allowed", Allowlist{Verbs: []string{"get"}, Namespaces: []string{"home"}}, here, ""},
		{"verb missing", Allowlist{Verbs: []string{"list"}, Namespaces: []string{"home"}}, here, `security.allowedVerbs does not have "get"`},
		{"no verbs", Allowlist{Verbs: []string{}, Namespaces: []string{"home"}}, here, `security.allowedVerbs does not have "get"`},
		{"verb before resource", Allowlist{Verbs: []string{}, Resources: []string{}}, here, `security.allowedVerbs does not have "get"`},
		{"resource before namespace", Allowlist{Resources: []string{}}, here, `security.allowedResources does not have "pods"`},
		{"namespace missing", Allowlist{Namespaces: []string{"away"}}, here, `security.allowedNamespaces does not have "home"`},
		{"no namespaces", Allowlist{Namespaces: []string{}}, here, `security.allowedNamespaces does not have "home"`},
		{"every namespace", Allowlist{Namespaces: []string{"*"}}, here, ""},
		{"all at once needs all", Allowlist{Namespaces: []string{"home"}}, all, `security.allowedNamespaces does not have "*"`},
		{"all at once", Allowlist{Namespaces: []string{"*"}}, all, ""},
		{"cluster-scoped needs all", Allowlist{Namespaces: []string{"home"}}, node, `security.allowedNamespaces does not have "*"`},
		{"cluster-scoped", Allowlist{Namespaces: []string{"*"}}, node, ""},
		{"an entry without text is not all", Allowlist{Namespaces: []string{""}}, all, `security.allowedNamespaces does not have "*"`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := c.list.Denies(c.action); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAction_string(t *testing.T) {
	t.Parallel()
	cases := map[string]rbac.Action{
		`get items.inventory.example.com "x" in namespace "home"`: {Verb: "get", Group: "inventory.example.com", Resource: "items", Namespace: "home", ObjectName: "x", Namespaced: true},
		`list pods in all namespaces`:                             {Verb: "list", Resource: "pods", Namespaced: true},
		`get nodes "n" (cluster-scoped)`:                          {Verb: "get", Resource: "nodes", ObjectName: "n"},
		`update deployments.apps/scale "d" in namespace "home"`:   {Verb: "update", Group: "apps", Resource: "deployments", Subresource: "scale", Namespace: "home", ObjectName: "d", Namespaced: true},
	}
	for want, action := range cases {
		if got := action.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
