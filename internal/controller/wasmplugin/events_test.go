// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

func ready(status metav1.ConditionStatus, reason string) []metav1.Condition {
	return []metav1.Condition{{Type: pluginsv1alpha1.ConditionReady, Status: status, Reason: reason, Message: "why"}}
}

// TestEventsOf shows that Events report transitions only: a status that repeats the previous one causes none.
func TestEventsOf(t *testing.T) {
	t.Parallel()
	now := metav1.NewTime(time.Unix(1, 0))
	one := &pluginsv1alpha1.Revision{Digest: "sha256:a", ShortDigest: "a", Version: "v1", LoadedAt: now}
	two := &pluginsv1alpha1.Revision{Digest: "sha256:b", ShortDigest: "b", Version: "v2", LoadedAt: now}
	for name, tc := range map[string]struct {
		why           string
		before, after pluginsv1alpha1.WasmPluginStatus
		want          []string
	}{
		"first-load": {
			why:   "a plugin that has just been made",
			after: pluginsv1alpha1.WasmPluginStatus{Revision: one, Conditions: ready(metav1.ConditionTrue, "Succeeded")},
			want:  []string{"Normal RevisionLoaded"},
		},
		"nothing-new": {
			why:    "looked at again",
			before: pluginsv1alpha1.WasmPluginStatus{Revision: one, Conditions: ready(metav1.ConditionTrue, "Succeeded")},
			after:  pluginsv1alpha1.WasmPluginStatus{Revision: one, Conditions: ready(metav1.ConditionTrue, "Succeeded")},
		},
		"swap": {
			why:    "another revision, Ready throughout",
			before: pluginsv1alpha1.WasmPluginStatus{Revision: one, Conditions: ready(metav1.ConditionTrue, "Succeeded")},
			after:  pluginsv1alpha1.WasmPluginStatus{Revision: two, Conditions: ready(metav1.ConditionTrue, "Succeeded")},
			want:   []string{"Normal RevisionLoaded"},
		},
		"fails": {
			why:    "the next revision cannot be loaded",
			before: pluginsv1alpha1.WasmPluginStatus{Revision: one, Conditions: ready(metav1.ConditionTrue, "Succeeded")},
			after:  pluginsv1alpha1.WasmPluginStatus{Revision: one, Conditions: ready(metav1.ConditionFalse, "NotWasm")},
			want:   []string{"Warning NotWasm"},
		},
		"fails-otherwise": {
			why:    "another reason is news",
			before: pluginsv1alpha1.WasmPluginStatus{Conditions: ready(metav1.ConditionFalse, "NotWasm")},
			after:  pluginsv1alpha1.WasmPluginStatus{Conditions: ready(metav1.ConditionFalse, "InvalidModule")},
			want:   []string{"Warning InvalidModule"},
		},
		"fails-the-same": {
			why:    "the same reason is none",
			before: pluginsv1alpha1.WasmPluginStatus{Conditions: ready(metav1.ConditionFalse, "NotWasm")},
			after:  pluginsv1alpha1.WasmPluginStatus{Conditions: ready(metav1.ConditionFalse, "NotWasm")},
		},
		"recovers": {
			why:    "with the revision that served all along",
			before: pluginsv1alpha1.WasmPluginStatus{Revision: one, Conditions: ready(metav1.ConditionFalse, "NotWasm")},
			after:  pluginsv1alpha1.WasmPluginStatus{Revision: one, Conditions: ready(metav1.ConditionTrue, "Succeeded")},
			want:   []string{"Normal Ready"},
		},
		"suspended": {
			why:    "what somebody asked for is no warning",
			before: pluginsv1alpha1.WasmPluginStatus{Revision: one, Conditions: ready(metav1.ConditionTrue, "Succeeded")},
			after:  pluginsv1alpha1.WasmPluginStatus{Conditions: ready(metav1.ConditionFalse, pluginsv1alpha1.ReasonSuspended)},
			want:   []string{"Normal Suspended"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, e := range eventsOf(tc.before, tc.after) {
				got = append(got, e.kind+" "+e.reason)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("%s: told %q, want %q", tc.why, got, tc.want)
			}
		})
	}
}

func TestBreakerEvent(t *testing.T) {
	t.Parallel()
	digest := plugin.DigestOf(nil)
	opened := breakerEvent(digest, plugin.BreakerChange{Open: true, Cause: errors.New("unreachable"), RetryAfter: time.Second})
	if opened.kind != corev1.EventTypeWarning || opened.reason != reasonBreakerOpened ||
		!containsEach(opened.note, digest.Short(), "1s", "unreachable") {
		t.Errorf("got %+v", opened)
	}
	closed := breakerEvent(digest, plugin.BreakerChange{})
	if closed.kind != corev1.EventTypeNormal || closed.reason != reasonBreakerClosed || !containsEach(closed.note, digest.Short()) {
		t.Errorf("got %+v", closed)
	}
}

func containsEach(text string, parts ...string) bool {
	for _, p := range parts {
		if !strings.Contains(text, p) {
			return false
		}
	}
	return true
}
