// SPDX-License-Identifier: Apache-2.0

package access

import (
	"fmt"
	"slices"
	"strings"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access/origin"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/plugin"
)

// everything is the entry that allows all resources or subresources.
const everything = "*"

// Allowlist is what spec.security allows a plugin. RBAC must allow its ServiceAccount the same.
type Allowlist struct {
	// Resources and Verbs are nil if all are allowed.
	Resources  []string
	Verbs      []string
	Namespaces plugin.Namespaces
	// Hosts are the hosts that HTTP requests can go to. If it is empty, no host is allowed.
	Hosts []string
}

// NewAllowlist returns the Allowlist of a plugin in the given namespace.
func NewAllowlist(s pluginsv1alpha1.Security, namespace string) Allowlist {
	l := Allowlist{Resources: s.AllowedResources, Namespaces: plugin.AllowedNamespaces(s, namespace), Hosts: s.AllowedHosts}
	if s.AllowedVerbs != nil {
		l.Verbs = make([]string, len(s.AllowedVerbs))
		for i, v := range s.AllowedVerbs {
			l.Verbs[i] = string(v)
		}
	}
	return l
}

// Denies returns why the list does not allow an action, or "" if it does.
func (l Allowlist) Denies(a rbac.Action) string {
	switch {
	case l.Verbs != nil && !slices.Contains(l.Verbs, a.Verb):
		return fmt.Sprintf("security.allowedVerbs does not have %q", a.Verb)
	case !l.allowsResource(a):
		return fmt.Sprintf("security.allowedResources does not have %q", a.QualifiedResource())
	case !l.Namespaces.Has(a.Namespace):
		if a.Namespace == "" {
			return `security.allowedNamespaces does not have "*"`
		}
		return fmt.Sprintf("security.allowedNamespaces does not have %q", a.Namespace)
	}
	return ""
}

func (l Allowlist) allowsResource(a rbac.Action) bool {
	return l.Resources == nil || slices.ContainsFunc(l.Resources, func(entry string) bool { return matchesResource(entry, a) })
}

// matchesResource reports whether an entry "resource[.group][/subresource]" matches an action.
func matchesResource(entry string, a rbac.Action) bool {
	name, subresource, _ := strings.Cut(entry, "/")
	if subresource != a.Subresource && (subresource != everything || a.Subresource == "") {
		return false
	}
	resource, group, hasGroup := strings.Cut(name, ".")
	if hasGroup && group != a.Group {
		return false
	}
	return resource == everything || resource == a.Resource
}

// deniesHost returns why the list does not allow an origin, or "" if it does.
func (l Allowlist) deniesHost(o origin.Origin) string {
	for _, entry := range l.Hosts {
		if o.Matches(entry) {
			return ""
		}
	}
	return fmt.Sprintf("security.allowedHosts does not have %q", o.HostPort())
}
