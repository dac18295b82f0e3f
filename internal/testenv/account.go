// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Account is a ServiceAccount whose permissions a test grants and revokes. It has none at first.
type Account struct {
	*Env

	namespace, name string
}

// Account creates a namespace with a ServiceAccount of the given name.
func (e *Env) Account(t *testing.T, name string) (account *Account, namespace string) {
	t.Helper()
	namespace = e.Namespace(t)
	e.ServiceAccount(t, namespace, name)
	return &Account{Env: e, namespace: namespace, name: name}, namespace
}

// Grant grants the ServiceAccount verbs ("get,list") on resources ("items", "items/status") of a group in a namespace,
// or in the cluster if the namespace is empty. It waits until the API server has observed that.
func (a *Account) Grant(t *testing.T, namespace, verbs, group string, resources ...string) {
	t.Helper()
	a.bind(t, namespace, rbacv1.PolicyRule{Verbs: strings.Split(verbs, ","), APIGroups: []string{group}, Resources: resources})
}

// GrantName grants the ServiceAccount one verb on one object.
func (a *Account) GrantName(t *testing.T, namespace, verb, group, resource, name string) {
	t.Helper()
	a.bind(t, namespace, rbacv1.PolicyRule{
		Verbs: []string{verb}, APIGroups: []string{group}, Resources: []string{resource}, ResourceNames: []string{name},
	})
}

func (a *Account) bind(t *testing.T, namespace string, rule rbacv1.PolicyRule) {
	t.Helper()
	a.Bind(t, AccountSubject(a.namespace, a.name), namespace, rule)
}

// Bind grants what a rule allows to a subject that includes the ServiceAccount, and waits like Grant.
func (a *Account) Bind(t *testing.T, subject rbacv1.Subject, namespace string, rule rbacv1.PolicyRule) {
	t.Helper()
	role := Role(namespace, "", rule)
	role.SetGenerateName("test-")
	a.Create(t, role)
	a.Create(t, Binding(namespace, role.GetName(), role.GetName(), subject))
	resource, subresource, _ := strings.Cut(rule.Resources[0], "/")
	attributes := authorizationv1.ResourceAttributes{
		Verb: rule.Verbs[0], Group: rule.APIGroups[0], Resource: resource, Subresource: subresource, Namespace: namespace,
	}
	if len(rule.ResourceNames) > 0 {
		attributes.Name = rule.ResourceNames[0]
	}
	Eventually(t, "the permission is granted", func(ctx context.Context) error { return a.review(ctx, attributes) })
}

// review returns an error unless a new SubjectAccessReview allows the ServiceAccount what the attributes say.
func (a *Account) review(ctx context.Context, attributes authorizationv1.ResourceAttributes) error {
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:               "system:serviceaccount:" + a.namespace + ":" + a.name,
		Groups:             []string{"system:serviceaccounts", "system:serviceaccounts:" + a.namespace, "system:authenticated"},
		ResourceAttributes: &attributes,
	}}
	if err := a.Client.Create(ctx, review); err != nil {
		return err
	}
	if !review.Status.Allowed {
		return fmt.Errorf("%s is not allowed to %v: %s", review.Spec.User, attributes, review.Status.Reason)
	}
	return nil
}

// Unbind revokes all permissions of the ServiceAccount in its namespace, without waiting.
func (a *Account) Unbind(t *testing.T) {
	t.Helper()
	if err := a.Client.DeleteAllOf(t.Context(), &rbacv1.RoleBinding{}, client.InNamespace(a.namespace)); err != nil {
		t.Fatal(err)
	}
}

// Revoke revokes all permissions of the ServiceAccount in its namespace, and waits until the API server has observed
// that for one of them: a verb on a resource of a group.
func (a *Account) Revoke(t *testing.T, verb, group, resource string) {
	t.Helper()
	a.Unbind(t)
	attributes := authorizationv1.ResourceAttributes{Verb: verb, Group: group, Resource: resource, Namespace: a.namespace}
	Eventually(t, "the permission is revoked", func(ctx context.Context) error {
		if a.review(ctx, attributes) == nil {
			return errors.New("it is still granted")
		}
		return nil
	})
}
