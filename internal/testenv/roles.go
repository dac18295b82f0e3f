// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// AccountSubject returns a ServiceAccount as the subject of a binding.
func AccountSubject(namespace, name string) rbacv1.Subject {
	return rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: name}
}

// UserSubject returns a user as the subject of a binding.
func UserSubject(name string) rbacv1.Subject {
	return rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}
}

// Role returns a Role, or a ClusterRole if the namespace is empty.
func Role(namespace, name string, rules ...rbacv1.PolicyRule) client.Object {
	meta := metav1.ObjectMeta{Namespace: namespace, Name: name}
	if namespace == "" {
		return &rbacv1.ClusterRole{ObjectMeta: meta, Rules: rules}
	}
	return &rbacv1.Role{ObjectMeta: meta, Rules: rules}
}

// Binding returns a binding of the Role to the subject, or of the ClusterRole if the namespace is empty.
func Binding(namespace, name, role string, subject rbacv1.Subject) client.Object {
	meta, subjects := metav1.ObjectMeta{Namespace: namespace, Name: name}, []rbacv1.Subject{subject}
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role}
	if namespace == "" {
		ref.Kind = "ClusterRole"
		return &rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}
	}
	return &rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}
}

// GrantCluster grants a subject permissions in all namespaces until the test ends.
func (e *Env) GrantCluster(t *testing.T, subject rbacv1.Subject, rules ...rbacv1.PolicyRule) {
	t.Helper()
	role := Role("", "", rules...)
	role.SetGenerateName("test-")
	e.Create(t, role)
	binding := Binding("", role.GetName(), role.GetName(), subject)
	e.Create(t, binding)
	t.Cleanup(func() {
		if err := errors.Join(e.Client.Delete(context.Background(), binding), e.Client.Delete(context.Background(), role)); err != nil {
			t.Error(err)
		}
	})
}

// GrantOperator grants a user the permissions that the project ships for the operator, whose namespace is given.
func (e *Env) GrantOperator(t *testing.T, user, namespace string) {
	t.Helper()
	for _, file := range []string{"role.yaml", "watched_types.yaml"} {
		text, err := os.ReadFile(filepath.Join(Root(), "config", "rbac", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range strings.Split(string(text), "\n---\n") {
			var role rbacv1.ClusterRole // which has all fields of a Role
			if err := yaml.Unmarshal([]byte(document), &role); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if role.AggregationRule != nil || role.Kind != "ClusterRole" && role.Kind != "Role" { // no controller aggregates ClusterRoles here
				continue
			}
			in := map[string]string{"Role": namespace}[role.Kind]
			for _, o := range []client.Object{Role(in, role.Name, role.Rules...), Binding(in, role.Name, role.Name, UserSubject(user))} {
				if err := e.Client.Create(t.Context(), o); err != nil && !(in == "" && apierrors.IsAlreadyExists(err)) { // by another test
					t.Fatal(errors.Join(errors.New(file), err))
				}
			}
		}
	}
}
