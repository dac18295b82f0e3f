// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Limited returns the same API server with the connection of a new user. Its permissions, in all namespaces, are
// exactly the given rules. RBAC does not apply to the connection of the Env itself.
func (e *Env) Limited(t *testing.T, rules ...rbacv1.PolicyRule) *Env {
	t.Helper()
	name := e.Namespace(t) // a unique name
	e.Create(t, Role("", name, rules...), Binding("", name, name, UserSubject(name)))
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
