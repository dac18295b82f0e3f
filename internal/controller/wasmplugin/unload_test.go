// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/admission"
	"github.com/k1s-io/k1s/internal/watch"
)

// stopped records which plugins' events have stopped, and starts no watch.
type stopped struct {
	Watches

	names []types.NamespacedName
}

func (s *stopped) Stop(name types.NamespacedName)              { s.names = append(s.names, name) }
func (*stopped) Running(types.NamespacedName, watch.Spec) bool { return false }
func (*stopped) Ensure(context.Context, types.NamespacedName, watch.Spec, watch.Reconciler) error {
	return errors.New("the kind cannot be listed")
}

// locked are Webhooks whose configurations the API server does not delete.
type locked struct {
	Webhooks

	set     []*admission.Plugin
	removed int
}

func (l *locked) Set(p *admission.Plugin)                          { l.set = append(l.set, p) }
func (l *locked) Remove(types.NamespacedName)                      { l.removed++ }
func (*locked) Delete(context.Context, types.NamespacedName) error { return errors.New("not now") }

// TestReconciler_suspend_configurationsStay shows that a plugin receives no more events although its webhook
// configurations still exist, and that its status reports that. Its admission requests are still answered.
func TestReconciler_suspend_configurationsStay(t *testing.T) {
	t.Parallel()
	watches, webhooks := &stopped{}, &locked{}
	r := &Reconciler{Watches: watches, Webhooks: webhooks}
	r.leads.Store(true)
	l := newLoad(t, func(s *pluginsv1alpha1.WasmPluginSpec) { s.Suspend = true })
	if err := r.suspend(t.Context(), l); err == nil {
		t.Error("no error, so that it is not retried")
	}
	if len(watches.names) == 0 {
		t.Error("it still receives events")
	}
	if webhooks.removed > 0 {
		t.Error("nobody answers what the API server still sends")
	}
	ready := meta.FindStatusCondition(l.plugin.Status.Conditions, pluginsv1alpha1.ConditionReady)
	if ready == nil || ready.Status != metav1.ConditionFalse || !strings.Contains(ready.Message, "not now") {
		t.Errorf("Ready is %+v", ready)
	}
}
