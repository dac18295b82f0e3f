// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"fmt"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
)

// Kinds of roles, as in the roleRef of a binding.
const (
	kindRole        = "Role"
	kindClusterRole = "ClusterRole"
)

// Names by which a binding of a Group can include ServiceAccounts.
const (
	accountsGroup  = "system:serviceaccounts"
	everybodyGroup = "system:authenticated"
)

// subjectOf returns the ServiceAccounts that a binding's subject includes, and false if it includes none.
func subjectOf(s rbacv1.Subject, bindingNamespace string) (Subject, bool) {
	switch s.Kind {
	case rbacv1.ServiceAccountKind:
		namespace := s.Namespace
		if namespace == "" {
			namespace = bindingNamespace
		}
		return Subject{Namespace: namespace, ServiceAccount: s.Name}, namespace != "" && s.Name != ""
	case rbacv1.UserKind:
		account, ok := strings.CutPrefix(s.Name, serviceAccountPrefix)
		namespace, name, both := strings.Cut(account, ":")
		return Subject{Namespace: namespace, ServiceAccount: name}, ok && both && namespace != "" && name != ""
	case rbacv1.GroupKind:
		if s.Name == everybodyGroup || s.Name == accountsGroup {
			return Subject{}, true
		}
		namespace, ok := strings.CutPrefix(s.Name, accountsGroup+":")
		return Subject{Namespace: namespace}, ok && namespace != ""
	default:
		return Subject{}, false
	}
}

// binding is the cached part of a RoleBinding or ClusterRoleBinding.
type binding struct {
	metav1.ObjectMeta

	roleRef  rbacv1.RoleRef
	subjects []Subject
}

// stripBinding reduces a binding to what decisions depend on, because a cluster can have tens of thousands of bindings.
func stripBinding(obj any) (any, error) {
	switch b := obj.(type) {
	case *rbacv1.RoleBinding:
		return newBinding(b.ObjectMeta, b.RoleRef, b.Subjects), nil
	case *rbacv1.ClusterRoleBinding:
		return newBinding(b.ObjectMeta, b.RoleRef, b.Subjects), nil
	default:
		return obj, nil // already stripped
	}
}

func newBinding(meta metav1.ObjectMeta, ref rbacv1.RoleRef, subjects []rbacv1.Subject) *binding {
	b := &binding{ObjectMeta: nameOnly(meta), roleRef: rbacv1.RoleRef{Kind: ref.Kind, Name: ref.Name}}
	for _, s := range subjects {
		if subject, ok := subjectOf(s, meta.Namespace); ok {
			b.subjects = append(b.subjects, subject)
		}
	}
	return b
}

func nameOnly(meta metav1.ObjectMeta) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: meta.Namespace, Name: meta.Name, ResourceVersion: meta.ResourceVersion}
}

// changes returns the changes of permissions when the binding is added, deleted or changed, or when its role changes.
func (b *binding) changes() []Change {
	out := make([]Change, len(b.subjects))
	for i, s := range b.subjects {
		out[i] = Change{Subject: s, Namespace: b.Namespace}
	}
	return out
}

// roleKey returns the key of a role in the index of bindings.
func roleKey(kind, namespace, name string) string {
	if kind == kindClusterRole {
		namespace = ""
	}
	return kind + "/" + namespace + "/" + name
}

// indexRole is the index of bindings by their role.
const indexRole = "role"

func byRole() cache.Indexers {
	return cache.Indexers{indexRole: func(obj any) ([]string, error) {
		b, ok := obj.(*binding)
		if !ok {
			return nil, fmt.Errorf("%T is not a binding", obj)
		}
		return []string{roleKey(b.roleRef.Kind, b.Namespace, b.roleRef.Name)}, nil
	}}
}
