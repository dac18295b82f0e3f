// SPDX-License-Identifier: Apache-2.0

package access

import (
	"fmt"

	authorizationv1 "k8s.io/api/authorization/v1"
)

// Identity is who a plugin is to the API server.
type Identity struct {
	// Namespace is the namespace of the WasmPlugin and of its ServiceAccount.
	Namespace string
	// Plugin is the name of the WasmPlugin.
	Plugin string
	// ServiceAccount is the name of the ServiceAccount.
	ServiceAccount string
	// Operator is the operator's own user name, for a plugin that acts as the operator itself: RBAC is not asked
	// about it, and the account does not matter. Empty for all others.
	Operator string
}

// Username is the account's user name, as the API server's authentication gives it.
func (i Identity) Username() string {
	if i.Operator != "" {
		return i.Operator
	}
	return fmt.Sprintf("system:serviceaccount:%s:%s", i.Namespace, i.ServiceAccount)
}

// Groups are the groups that the API server's authentication gives the account.
func (i Identity) Groups() []string {
	return []string{"system:serviceaccounts", "system:serviceaccounts:" + i.Namespace, "system:authenticated"}
}

// FieldManager is the owner of the fields that the plugin writes.
func (i Identity) FieldManager() string {
	return fmt.Sprintf("k1s/%s/%s", i.Namespace, i.Plugin)
}

// String names the plugin.
func (i Identity) String() string { return i.Namespace + "/" + i.Plugin }

// subject is the account as a SubjectAccessReview asks about it.
func (i Identity) subject(attributes authorizationv1.ResourceAttributes) authorizationv1.SubjectAccessReviewSpec {
	return authorizationv1.SubjectAccessReviewSpec{
		User:               i.Username(),
		Groups:             i.Groups(),
		ResourceAttributes: &attributes,
	}
}
