// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"slices"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// AllNamespaces is the entry of Namespaces for all namespaces, and for cluster-scoped objects.
const AllNamespaces = "*"

// Namespaces are the namespaces that a plugin has access to.
type Namespaces []string

// AllowedNamespaces returns spec.security.allowedNamespaces. The default is the plugin's own namespace.
func AllowedNamespaces(s pluginsv1alpha1.Security, namespace string) Namespaces {
	if s.AllowedNamespaces != nil {
		return s.AllowedNamespaces
	}
	return Namespaces{namespace}
}

// All reports whether all namespaces are included.
func (n Namespaces) All() bool { return slices.Contains(n, AllNamespaces) }

// Has reports whether a namespace is included. The empty namespace, which stands for all namespaces and for
// cluster-scoped objects, needs AllNamespaces.
func (n Namespaces) Has(namespace string) bool {
	return n.All() || namespace != "" && slices.Contains(n, namespace)
}
