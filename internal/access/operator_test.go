// SPDX-License-Identifier: Apache-2.0

package access

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access/rbac"
)

// TestRestrictedClient_asOperator acts as the operator: with the operator's permissions, which its ServiceAccount does
// not have, and within the spec's limits, which are independent of RBAC.
func TestRestrictedClient_asOperator(t *testing.T) {
	t.Parallel()
	w, all, denied := audited(t)
	operator, err := rbac.NewOperator(rest.CopyConfig(w.Config)).Username(t.Context())
	if err != nil || operator == "" {
		t.Fatalf("the operator is %q, %v", operator, err)
	}
	asOperator := func(o *Options) { o.Identity.Operator = operator }
	key := abi.ObjectKey{APIVersion: "v1", Kind: "ConfigMap", Namespace: w.namespace, Name: "made"}
	create := abi.WriteRequest{Object: []byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"made","namespace":"` + w.namespace + `"}}`)}

	if _, err := w.client(t, denied.of).Create(t.Context(), create); err == nil {
		t.Error("the account itself may create ConfigMaps, so that the rest shows nothing")
	}
	all.take()
	denied.take()
	c := w.client(t, denied.of, asOperator)
	if _, err := c.Create(t.Context(), create); err != nil {
		t.Error(err)
	}
	if _, err := c.Get(t.Context(), key); err != nil {
		t.Error(err)
	}
	bounded := w.client(t, denied.of, asOperator, func(o *Options) { o.Allowlist.Verbs = []string{"get"} })
	wantDenial(t, bounded.Delete(t.Context(), abi.DeleteRequest{ObjectKey: key}), metav1.StatusReasonForbidden, "allowlist: cannot delete")
	elsewhere := key
	elsewhere.Namespace = "default"
	_, err = bounded.Get(t.Context(), elsewhere)
	wantDenial(t, err, metav1.StatusReasonForbidden, "security.allowedNamespaces")
	occupy(bounded)
	_, err = bounded.Get(t.Context(), key)
	wantDenial(t, err, metav1.StatusReasonTooManyRequests, "limit: ")

	for _, r := range append(all.take(), denied.take()...) {
		if r.Account != operator {
			t.Errorf("the record has the account %q, want %q: %+v", r.Account, operator, r)
		}
	}
}
