// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// TestReconciler_succeed_afterAnotherLeader shows the status of a revision that serves on a new leader, and that the
// previous leader has never reported.
func TestReconciler_succeed_afterAnotherLeader(t *testing.T) {
	t.Parallel()
	r := &Reconciler{}
	l := admitting(t, plugin.CapabilityReconcile)
	l.plugin.Status.Revision = &pluginsv1alpha1.Revision{Digest: "sha256:old", ShortDigest: "old"}
	r.serving.set(l.name, &revision{
		status: pluginsv1alpha1.Revision{Digest: "sha256:new", ShortDigest: "new"},
		track:  plugin.NewTrack(func() {}),
	})
	r.succeed(l)
	status := l.plugin.Status
	if status.Revision.Digest != "sha256:new" || status.PreviousDigest != "sha256:old" {
		t.Errorf("got %+v", status)
	}
	if ready := meta.FindStatusCondition(status.Conditions, pluginsv1alpha1.ConditionReady); ready == nil || !strings.HasPrefix(ready.Message, "new") {
		t.Errorf("Ready is %+v", ready)
	}
}
