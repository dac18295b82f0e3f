// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// admitting returns a load of a revision with capabilities.
func admitting(t *testing.T, capabilities ...plugin.Capability) *load {
	t.Helper()
	l := newLoad(t, nil)
	l.plan.capabilities = capabilities
	l.name = types.NamespacedName{Namespace: l.plugin.Namespace, Name: l.plugin.Name}
	l.runner, l.serving = failing{}, func() {}
	l.info.Exports = plugin.ExportSet{abi.ExportValidateCreate: true}
	l.kinds = kinds{item(): &meta.RESTMapping{Scope: meta.RESTScopeNamespace}}
	return l
}

// TestReconciler_swap_declaredExports shows that a revision is not called for what only the previous revision had,
// even if the rest of the load takes long or fails.
func TestReconciler_swap_declaredExports(t *testing.T) {
	t.Parallel()
	webhooks := &locked{}
	r := &Reconciler{
		Watches: &stopped{}, Webhooks: webhooks, Slots: plugin.NewRegistry(time.Minute), Clock: clock.RealClock{},
	}
	t.Cleanup(func() { _ = r.Slots.Close(context.Background()) })
	r.leads.Store(true)
	r.install(admitting(t, plugin.CapabilityValidation))
	if p := r.swap(t.Context(), admitting(t, plugin.CapabilityReconcile)); p == nil {
		t.Fatal("the watch has started")
	}
	if len(webhooks.set) != 1 || len(webhooks.set[0].Exports) > 0 {
		t.Errorf("set %+v, want once, without exports", webhooks.set)
	}
}

// TestReconciler_reject_withoutEvents shows that the events of a revision that was rolled back stop if the previous
// revision does not need them.
func TestReconciler_reject_withoutEvents(t *testing.T) {
	t.Parallel()
	watches := &stopped{}
	r := &Reconciler{Watches: watches}
	r.leads.Store(true)
	l := admitting(t, plugin.CapabilityReconcile)
	r.serving.set(l.name, &revision{
		plan:     admitting(t, plugin.CapabilityValidation).plan,
		rejected: &rejection{fingerprint: l.plan.fingerprint(l.module.Digest)},
	})
	if p := r.reject(t.Context(), l); p == nil || p.reason != pluginsv1alpha1.ReasonRolledBack {
		t.Fatalf("got %v", p)
	}
	if len(watches.names) == 0 {
		t.Error("it still receives the events of the revision that was rolled back")
	}
}
