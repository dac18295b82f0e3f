// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
)

// expectPolicy waits until the ValidatingWebhookConfiguration of the namespace has the given failure policy.
func (n tenant) expectPolicy(t *testing.T, want admissionregistrationv1.FailurePolicyType) {
	t.Helper()
	testenv.Eventually(t, "the configurations have the failure policy "+string(want), func(ctx context.Context) error {
		var validators admissionregistrationv1.ValidatingWebhookConfigurationList
		if err := n.Client.List(ctx, &validators); err != nil {
			return err
		}
		for _, c := range validators.Items {
			if c.Labels["plugins.k1s.io/plugin-namespace"] != n.NS {
				continue
			}
			if got := *c.Webhooks[0].FailurePolicy; got != want {
				return fmt.Errorf("it is %s", got)
			}
			return nil
		}
		return errors.New("there is none")
	})
}

// TestOperator_admission_unaffected checks that a spec which cannot be applied leaves the serving revision as it is: its
// webhooks still receive requests, and the operator still maintains their configurations.
func TestOperator_admission_unaffected(t *testing.T) {
	o := startOperator(t, servesWebhooks(testenv.FreeAddress(t)))
	shop := newTenant(t, o.env, gateRules()...)
	shop.Store(t, "gate", localFixture(t, "gate.wasm"))
	shop.Plugin(t, "gate")
	shop.ExpectReady(t, "gate")
	shop.expectGate(t)

	t.Run("where the wanted one needs rights in another namespace", func(t *testing.T) {
		shop.change(t, "gate", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Security.AllowedNamespaces = []string{shop.NS, "elsewhere"} })
		shop.ExpectCondition(t, "gate", pluginsv1alpha1.ConditionAuthorized, metav1.ConditionFalse, pluginsv1alpha1.ReasonAccountForbidden)
		shop.ExpectCondition(t, "gate", pluginsv1alpha1.ConditionServing, metav1.ConditionTrue, pluginsv1alpha1.ReasonPreviousRevision)
		shop.expectGate(t)
		shop.expectConfigurations(t, 2)
		shop.change(t, "gate", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Security.AllowedNamespaces = nil })
		shop.ExpectReady(t, "gate")
	})

	t.Run("with another failure policy", func(t *testing.T) {
		shop.expectPolicy(t, admissionregistrationv1.Fail)
		shop.change(t, "gate", func(s *pluginsv1alpha1.WasmPluginSpec) { s.SHA256 = strings.Repeat("0", 64) })
		shop.ExpectCondition(t, "gate", pluginsv1alpha1.ConditionVerified, metav1.ConditionFalse, pluginsv1alpha1.ReasonDigestMismatch)
		shop.change(t, "gate", func(s *pluginsv1alpha1.WasmPluginSpec) {
			s.Admission.FailurePolicy = pluginsv1alpha1.FailurePolicyIgnore
		})
		shop.expectPolicy(t, admissionregistrationv1.Ignore)
	})

	t.Run("and a configuration that is deleted", func(t *testing.T) {
		names, err := shop.configurations(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		configuration := &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: names[0]}} // both have the same name
		shop.Delete(t, configuration)
		shop.expectConfigurations(t, 2)
		shop.expectGate(t)
	})
}

// TestOperator_admission_rightsLostMeanwhile checks that the webhooks of a plugin which loses its permissions while no
// operator runs are removed at the next start, although the plugin is not loaded.
func TestOperator_admission_rightsLostMeanwhile(t *testing.T) {
	o := startOperator(t, servesWebhooks(testenv.FreeAddress(t)))
	shop := newTenant(t, o.env, gateRules()...)
	shop.Store(t, "gate", localFixture(t, "gate.wasm"))
	shop.Plugin(t, "gate")
	shop.ExpectReady(t, "gate")
	shop.expectGate(t)
	o.end(t)
	shop.Delete(t, &rbacv1.RoleBinding{ObjectMeta: shop.Meta("plugin")})
	o.start(t)
	shop.ExpectCondition(t, "gate", pluginsv1alpha1.ConditionAuthorized, metav1.ConditionFalse, pluginsv1alpha1.ReasonAccountForbidden)
	shop.expectConfigurations(t, 0)
	shop.expectOpen(t, "the binding is gone")
}

// TestOperator_admission_ignoredWhileBroken checks that a plugin which does not load after a restart no longer blocks
// requests once its spec has failurePolicy Ignore, whatever the policy was before.
func TestOperator_admission_ignoredWhileBroken(t *testing.T) {
	o := startOperator(t, servesWebhooks(testenv.FreeAddress(t)))
	shop := newTenant(t, o.env, gateRules()...)
	shop.Store(t, "gate", localFixture(t, "gate.wasm"))
	shop.Plugin(t, "gate")
	shop.ExpectReady(t, "gate")
	shop.expectGate(t)
	o.end(t)
	shop.StoreRaw(t, "gate", []byte("no module"))
	o.start(t)
	shop.ExpectCondition(t, "gate", pluginsv1alpha1.ConditionVerified, metav1.ConditionFalse, pluginsv1alpha1.ReasonNotWasm)
	shop.expectPolicy(t, admissionregistrationv1.Fail)
	if _, err := shop.try(t.Context(), "good"); err == nil {
		t.Error("a request goes on although nobody could answer, and the policy is Fail")
	}
	shop.change(t, "gate", func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.Admission.FailurePolicy = pluginsv1alpha1.FailurePolicyIgnore
	})
	shop.expectOpen(t, "the policy is Ignore")
	shop.Store(t, "gate", localFixture(t, "gate.wasm"))
	shop.ExpectReady(t, "gate")
	shop.expectGate(t)
}
