// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"errors"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Limited returns the same API server with the connection of a new user. Its permissions, in all namespaces, are
// exactly the given rules. RBAC does not apply to the connection of the Env itself.
func (e *Env) Limited(t *testing.T, rules ...rbacv1.PolicyRule) *Env {
	t.Helper()
	name := e.Namespace(t) // a unique name
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: name}},
	}
	if err := errors.Join(e.Client.Create(t.Context(), role), e.Client.Create(t.Context(), binding)); err != nil {
		t.Fatalf("give user %q its rights: %v", name, err)
	}
	limited := *e
	limited.Config = e.User(t, name)
	limited.Config.QPS = e.Config.QPS
	c, err := client.New(limited.Config, client.Options{Scheme: e.Scheme})
	if err != nil {
		t.Fatalf("make a client for user %q: %v", name, err)
	}
	limited.Client = c
	return &limited
}
