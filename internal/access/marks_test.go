// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/k1s-io/k1s/internal/access/ownwrite"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/testenv"
)

// TestFactory_marks checks which user a plugin is to the API server, and with which marks.
func TestFactory_marks(t *testing.T) {
	w := newTestCluster(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	marks := ownwrite.New(func() (*tls.Certificate, error) { return &tls.Certificate{PrivateKey: key}, nil }, w.clock)
	// An operator with a ServiceAccount has permission to impersonate itself and to set marks. It has permission to
	// impersonate the plugin's ServiceAccount, too.
	const operator = "operator"
	w.ServiceAccount(t, w.namespace, operator)
	w.GrantCluster(t, testenv.AccountSubject(w.namespace, operator),
		rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"serviceaccounts"}, Verbs: []string{"impersonate"}},
		rbacv1.PolicyRule{APIGroups: []string{"authentication.k8s.io"}, Resources: []string{"userextras/" + ownwrite.ExtraKey}, Verbs: []string{"impersonate"}})
	token := &authenticationv1.TokenRequest{}
	sa := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: operator}}
	if err := w.Client.SubResource("token").Create(t.Context(), sa, token); err != nil {
		t.Fatal(err)
	}
	asAccount := rest.AnonymousClientConfig(w.Config)
	asAccount.BearerToken = token.Status.Token

	name := func(account string) string { return "system:serviceaccount:" + w.namespace + ":" + account }
	plugin := rbac.Identity{Namespace: w.namespace, Plugin: "tester", ServiceAccount: account}
	asOperator, asUser := plugin, plugin
	asOperator.Operator, asUser.Operator = name(operator), "kubernetes-admin"
	for what, tc := range map[string]struct {
		config *rest.Config
		marks  *ownwrite.Marks
		id     rbac.Identity
		user   string // empty means any
		marked bool
	}{
		"a ServiceAccount":                   {asAccount, marks, plugin, name(account), true},
		"a ServiceAccount, no webhooks":      {asAccount, nil, plugin, name(account), false},
		"the operator itself":                {asAccount, marks, asOperator, name(operator), true},
		"the operator itself, no webhooks":   {asAccount, nil, asOperator, name(operator), false},
		"an operator that is a user":         {w.Config, marks, asUser, "", false},
		"a ServiceAccount, by such a user's": {w.Config, marks, plugin, name(account), true},
	} {
		factory := NewFactory(tc.config, w.factory.kinds, w.watches, w.factory.authorizer, w.clock)
		factory.Marks = tc.marks
		client, err := factory.impersonate(tc.id)
		if err != nil {
			t.Fatal(err)
		}
		var review authenticationv1.SelfSubjectReview
		testenv.Eventually(t, what, func(ctx context.Context) error { // the API server may not have observed the permissions yet
			body, err := client.Post().AbsPath("/apis/authentication.k8s.io/v1/selfsubjectreviews").
				Body([]byte(`{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}`)).DoRaw(ctx)
			if err != nil {
				return err
			}
			return json.Unmarshal(body, &review)
		})
		user := review.Status.UserInfo
		if tc.user != "" && user.Username != tc.user {
			t.Errorf("%s: the API server takes it for %q, want %q", what, user.Username, tc.user)
		}
		if got := marks.Verify(tc.id.String(), user.Extra[ownwrite.ExtraKey]); got != tc.marked {
			t.Errorf("%s: extra %v, want a mark: %t", what, user.Extra, tc.marked)
		}
	}
}
