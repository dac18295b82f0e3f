// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"fmt"

	authorizationv1 "k8s.io/api/authorization/v1"
)

// Action is one request of a plugin.
type Action struct {
	Verb                               string
	Group, Version, Resource           string
	Subresource, Namespace, ObjectName string
	// Namespaced is whether the resource is namespaced. If so, an empty Namespace means all namespaces.
	Namespaced bool
}

// String returns a readable form: `get categories.inventory.example.com "x" in namespace "y"`.
func (a Action) String() string {
	s := a.Verb + " " + a.QualifiedResource()
	if a.ObjectName != "" {
		s += fmt.Sprintf(" %q", a.ObjectName)
	}
	switch {
	case !a.Namespaced:
		return s + " (cluster-scoped)"
	case a.Namespace == "":
		return s + " in all namespaces"
	default:
		return s + fmt.Sprintf(" in namespace %q", a.Namespace)
	}
}

// QualifiedResource returns the resource in the form of security.allowedResources: "deployments.apps/scale".
func (a Action) QualifiedResource() string {
	s := a.Resource
	if a.Group != "" {
		s += "." + a.Group
	}
	if a.Subresource != "" {
		s += "/" + a.Subresource
	}
	return s
}

// Path returns the segments of the URL path of a request at the API server.
func (a Action) Path() []string {
	s := []string{"/api", a.Version}
	if a.Group != "" {
		s = []string{"/apis", a.Group, a.Version}
	}
	if a.Namespace != "" {
		s = append(s, "namespaces", a.Namespace)
	}
	s = append(s, a.Resource)
	if a.ObjectName != "" {
		s = append(s, a.ObjectName)
	}
	if a.Subresource != "" {
		s = append(s, a.Subresource)
	}
	return s
}

func (a Action) attributes() authorizationv1.ResourceAttributes {
	return authorizationv1.ResourceAttributes{
		Verb: a.Verb, Group: a.Group, Version: a.Version, Resource: a.Resource,
		Subresource: a.Subresource, Namespace: a.Namespace, Name: a.ObjectName,
	}
}
