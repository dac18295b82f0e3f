// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// TestUnload_suspend_configurationsStay shows that a plugin receives no more events although its webhook configurations
// still exist, and that its status reports that. Its admission requests are still answered.
func TestUnload_suspend_configurationsStay(t *testing.T) {
	t.Parallel()
	manager, server := &fakeWatches{running: true}, &fakeWebhooks{delete: errors.New("not now")}
	u := unload{publish: publish{
		watches:  watches{manager: manager, replica: leader()},
		webhooks: webhooks{server: server, replica: leader()},
	}}
	l := loadOf(t, func(s *pluginsv1alpha1.WasmPluginSpec) { s.Suspend = true })
	if err := u.suspend(t.Context(), l); err == nil {
		t.Error("no error, so that it is not retried")
	}
	if manager.stopped == 0 {
		t.Error("it still receives events")
	}
	if server.removed > 0 {
		t.Error("nobody answers what the API server still sends")
	}
	ready := meta.FindStatusCondition(l.plugin.Status.Conditions, pluginsv1alpha1.ConditionReady)
	if ready == nil || ready.Status != metav1.ConditionFalse || !strings.Contains(ready.Message, "not now") {
		t.Errorf("Ready is %+v", ready)
	}
}
