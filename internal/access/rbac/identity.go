// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"fmt"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
)

// serviceAccountPrefix is the prefix of the user names of ServiceAccounts.
const serviceAccountPrefix = "system:serviceaccount:"

// Identity is the identity of a plugin at the API server.
type Identity struct {
	// Namespace is the namespace of the WasmPlugin and of its ServiceAccount.
	Namespace string
	// Plugin is the name of the WasmPlugin.
	Plugin string
	// ServiceAccount is the name of the ServiceAccount.
	ServiceAccount string
	// Operator is the operator's own user name, for a plugin that acts as the operator itself. For such a plugin, RBAC
	// is not asked, and ServiceAccount is ignored. It is empty for all other plugins.
	Operator string
}

// Username returns the user name in the API server's authentication.
func (i Identity) Username() string {
	if i.Operator != "" {
		return i.Operator
	}
	return serviceAccountPrefix + i.Namespace + ":" + i.ServiceAccount
}

// Marked reports whether the plugin's writes can have a mark, see package ownwrite. The API server accepts a mark only
// from a client that impersonates a user. The operator can impersonate itself if it is a ServiceAccount. An operator
// that is a user, such as one outside of the cluster, would lose its groups.
func (i Identity) Marked() bool {
	_, _, ok := i.Account()
	return ok
}

// Account returns the namespace and the name of the ServiceAccount that the plugin acts as. ok is false if it acts as a
// user.
func (i Identity) Account() (namespace, name string, ok bool) {
	account, ok := strings.CutPrefix(i.Username(), serviceAccountPrefix)
	if !ok {
		return "", "", false
	}
	return strings.Cut(account, ":")
}

// Groups returns the groups that the API server's authentication gives the ServiceAccount.
func (i Identity) Groups() []string {
	return []string{"system:serviceaccounts", "system:serviceaccounts:" + i.Namespace, "system:authenticated"}
}

// FieldManager returns the field manager of the plugin's writes.
func (i Identity) FieldManager() string {
	return fmt.Sprintf("k1s/%s/%s", i.Namespace, i.Plugin)
}

// String returns "namespace/name" of the plugin.
func (i Identity) String() string { return i.Namespace + "/" + i.Plugin }

// Review returns the SubjectAccessReview that asks whether the identity is allowed an action.
func (i Identity) Review(a Action) *authorizationv1.SubjectAccessReview {
	attributes := a.attributes()
	return &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: i.Username(), Groups: i.Groups(), ResourceAttributes: &attributes,
	}}
}
