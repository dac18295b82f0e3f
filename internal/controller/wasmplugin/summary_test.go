// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

func TestSummarize(t *testing.T) {
	t.Parallel()
	reject := func(reason string) *problem {
		return problemOf(pluginsv1alpha1.ConditionVerified, plugin.Reject(reason, "why"))
	}
	for name, tt := range map[string]struct {
		problem *problem
		current bool
		want    map[string]string // condition type: status and reason
	}{
		"serves": {nil, true, map[string]string{"Ready": "True Succeeded", "Serving": "True AsSpecified", "Degraded": "False AsSpecified"}},
		"invalid module": {reject("InvalidModule"), false, map[string]string{
			"Ready": "False InvalidModule", "Serving": "False NoRevision", "Degraded": "False NoRevision", "Stalled": "True InvalidModule",
		}},
		"invalid module, previous revision": {reject("InvalidModule"), true, map[string]string{
			"Ready": "False InvalidModule", "Serving": "True PreviousRevision", "Degraded": "True PreviousRevision", "Stalled": "True InvalidModule",
		}},
		"waits for a kind": {reject("KindNotFound"), false, map[string]string{
			"Ready": "False KindNotFound", "Serving": "False NoRevision", "Degraded": "False NoRevision", "Reconciling": "True KindNotFound",
		}},
		"is retried": {problemOf(pluginsv1alpha1.ConditionFetched, errUnavailable), false, map[string]string{
			"Ready": "False SourceUnavailable", "Serving": "False NoRevision", "Degraded": "False NoRevision", "Reconciling": "True SourceUnavailable",
		}},
		"rolled back": {(rejection{message: "why"}).problem(), true, map[string]string{
			"Ready": "False RolledBack", "Serving": "True PreviousRevision", "Degraded": "True RolledBack", "Stalled": "True RolledBack",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := loadOf(t, nil)
			// What a previous state has left must not stay.
			l.conditions.True(pluginsv1alpha1.ConditionStalled, "Before", "")
			l.conditions.True(pluginsv1alpha1.ConditionReconciling, "Before", "")
			if tt.current {
				l.current, l.watching = revisionOf(l, "current"), true
			}
			if tt.problem != nil {
				l.fail(tt.problem)
			}
			summarize(l)
			got := map[string]string{}
			for _, c := range []string{"Ready", "Serving", "Degraded", "Stalled", "Reconciling"} {
				if condition := meta.FindStatusCondition(l.plugin.Status.Conditions, c); condition != nil {
					got[c] = string(condition.Status) + " " + condition.Reason
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestSummarize_afterAnotherLeader shows the status of a revision that serves on a new leader, and that the previous
// leader has never reported.
func TestSummarize_afterAnotherLeader(t *testing.T) {
	t.Parallel()
	l := loadOf(t, nil)
	l.plugin.Status.Revision = &pluginsv1alpha1.Revision{Digest: "sha256:old", ShortDigest: "old"}
	l.current, l.watching = revisionOf(l, "new"), true
	summarize(l)
	status := l.plugin.Status
	if status.Revision.Digest != "sha256:new" || status.PreviousDigest != "sha256:old" {
		t.Errorf("got %+v", status)
	}
	if ready := meta.FindStatusCondition(status.Conditions, pluginsv1alpha1.ConditionReady); ready == nil || !strings.HasPrefix(ready.Message, "new") {
		t.Errorf("Ready is %+v", ready)
	}
}
