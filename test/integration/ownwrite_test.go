// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"slices"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
)

// TestOperator_mayNotMark checks that an operator which lacks the permission to mark writes, without which it cannot
// write at all, reports this and says what to do.
func TestOperator_mayNotMark(t *testing.T) {
	const resource = "userextras/plugins.k1s.io/own-write"
	o := startOperator(t, servesWebhooks(testenv.FreeAddress(t)))
	change := func(ctx context.Context, edit func([]rbacv1.PolicyRule) []rbacv1.PolicyRule) error {
		role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "k1s-manager"}}
		if err := o.env.Client.Get(ctx, client.ObjectKeyFromObject(role), role); err != nil {
			return err
		}
		role.Rules = edit(role.Rules)
		return o.env.Client.Update(ctx, role)
	}
	var taken []rbacv1.PolicyRule
	err := change(t.Context(), func(rules []rbacv1.PolicyRule) []rbacv1.PolicyRule {
		return slices.DeleteFunc(rules, func(r rbacv1.PolicyRule) bool {
			has := slices.Contains(r.Resources, resource)
			if has {
				taken = append(taken, r)
			}
			return has
		})
	})
	if err != nil || len(taken) != 1 {
		t.Fatalf("the operator's rules for marks are %v: %v", taken, err)
	}
	restore := func(ctx context.Context) error {
		defer func() { taken = nil }()
		return change(ctx, func(rules []rbacv1.PolicyRule) []rbacv1.PolicyRule { return append(rules, taken...) })
	}
	t.Cleanup(func() {
		if len(taken) > 0 {
			if err := restore(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
	n := newTenant(t, o.env, gateRules()...)
	n.Store(t, "gate", localFixture(t, "gate.wasm"))
	n.Plugin(t, "gate")
	n.ExpectCondition(t, "gate", pluginsv1alpha1.ConditionAuthorized, metav1.ConditionFalse, pluginsv1alpha1.ReasonOperatorForbidden,
		"impersonate userextras.authentication.k8s.io/plugins.k1s.io/own-write", "install the ClusterRole of this version")
	if err := restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.touch(t, "gate")
	n.ExpectReady(t, "gate")
}
