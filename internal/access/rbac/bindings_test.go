// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
)

func TestSubjectOf(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, kind, subject, namespace string
		want                           Subject
		ok                             bool
	}{
		{"account", "ServiceAccount", "a", "x", Subject{"x", "a"}, true},
		{"account of the binding's namespace", "ServiceAccount", "a", "", Subject{"ns", "a"}, true},
		{"account as a user", "User", "system:serviceaccount:x:a", "", Subject{"x", "a"}, true},
		{"half an account", "User", "system:serviceaccount:x", "", Subject{Namespace: "x"}, false},
		{"human", "User", "jane", "", Subject{}, false},
		{"a namespace's accounts", "Group", "system:serviceaccounts:x", "", Subject{Namespace: "x"}, true},
		{"all accounts", "Group", "system:serviceaccounts", "", Subject{}, true},
		{"everybody", "Group", "system:authenticated", "", Subject{}, true},
		{"those without a name", "Group", "system:unauthenticated", "", Subject{}, false},
		{"another kind", "Robot", "a", "", Subject{}, false},
	} {
		got, ok := subjectOf(rbacv1.Subject{Kind: tc.kind, Name: tc.subject, Namespace: tc.namespace}, "ns")
		if ok != tc.ok || ok && got != tc.want {
			t.Errorf("%s: got %+v, %t", tc.name, got, ok)
		}
	}
}
