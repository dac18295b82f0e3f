// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"strings"
	"testing"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
	"github.com/k1s-io/k1s/internal/plugin"
)

func TestAuthorize(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		capability plugin.Capability
		change     func(*permissions)
		reason     string // empty means authorized
		message    string
		waits      bool // whether a change of RBAC or of kinds has to be observed
	}{
		"allowed":            {plugin.CapabilityReconcile, func(*permissions) {}, "", "", false},
		"no ServiceAccount":  {plugin.CapabilityReconcile, func(p *permissions) { p.client = fakeClient{empty: true} }, pluginsv1alpha1.ReasonServiceAccountNotFound, "kubectl -n shop create serviceaccount default", false},
		"lacks a permission": {plugin.CapabilityReconcile, func(p *permissions) { p.authorizer = fakeAuthorizer{denied: []string{"watch"}} }, pluginsv1alpha1.ReasonAccountForbidden, "--verb=watch --resource=items.inventory.example.com", true},
		"kind not served":    {plugin.CapabilityReconcile, func(p *permissions) { p.kinds = fakeKinds{} }, pluginsv1alpha1.ReasonKindNotFound, "CustomResourceDefinition", true},
		"no webhooks":        {plugin.CapabilityValidation, func(p *permissions) { p.servesWebhooks = false }, pluginsv1alpha1.ReasonWebhooksDisabled, "webhook.enabled", false},
		"no answer":          {plugin.CapabilityReconcile, func(p *permissions) { p.kinds = fakeKinds{err: errUnavailable} }, pluginsv1alpha1.ReasonReviewFailed, "not available", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := loadOf(t, nil, tt.capability)
			a := authorize{permissions: allowing(itemKinds()), waits: &waits{}}
			a.waits.forKinds(l.name, plan.Plan{}, "before")
			tt.change(&a.permissions)
			p := a.run(t.Context(), l)
			switch {
			case tt.reason == "" && (p != nil || !l.kinds.Equal(itemKinds())):
				t.Errorf("got %v, kinds %v", p, l.kinds)
			case tt.reason != "" && (p == nil || p.reason != tt.reason || p.condition != pluginsv1alpha1.ConditionAuthorized || !strings.Contains(p.message, tt.message)):
				t.Errorf("got %+v", p)
			}
			if _, waits := a.waits.get(l.name); waits != tt.waits {
				t.Errorf("waits: %t, want %t", waits, tt.waits)
			}
		})
	}
}
