// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// exemptGroups are the groups whose requests are never sent to a plugin: with them the operator checks the permissions
// of plugins, and people fix what a plugin has broken.
var exemptGroups = []string{
	"admissionregistration.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "plugins.k1s.io",
}

func exemptGroup(group string) bool { return slices.Contains(exemptGroups, group) }

// Exempt is the set of namespaces in which plugins have no webhooks, so that no plugin can block the cluster or the
// operator.
type Exempt struct{ namespaces []string }

// NewExempt returns an Exempt with kube-system and the operator's own namespace.
func NewExempt(operatorNamespace string) Exempt {
	namespaces := []string{metav1.NamespaceSystem}
	if operatorNamespace != "" && operatorNamespace != metav1.NamespaceSystem {
		namespaces = append(namespaces, operatorNamespace)
	}
	slices.Sort(namespaces)
	return Exempt{namespaces}
}

func (e Exempt) has(namespace string) bool { return slices.Contains(e.namespaces, namespace) }
