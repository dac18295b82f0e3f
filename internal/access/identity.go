// SPDX-License-Identifier: Apache-2.0

package access

import (
	"fmt"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
)

// serviceAccountPrefix begins the user names of ServiceAccounts.
const serviceAccountPrefix = "system:serviceaccount:"

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
	return serviceAccountPrefix + i.Namespace + ":" + i.ServiceAccount
}

// Marked reports whether the plugin's writes can have a mark, see package ownwrite: the API server takes it from
// those only who impersonate somebody, and the operator can impersonate itself where it is a ServiceAccount. An operator
// that is a user, such as one outside of the cluster, would lose its groups.
func (i Identity) Marked() bool {
	_, _, ok := i.Account()
	return ok
}

// Account is the namespace and the name of the ServiceAccount that the plugin acts as; false if that is a user.
func (i Identity) Account() (namespace, name string, ok bool) {
	account, ok := strings.CutPrefix(i.Username(), serviceAccountPrefix)
	if !ok {
		return "", "", false
	}
	return strings.Cut(account, ":")
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
