// SPDX-License-Identifier: Apache-2.0

package status_test

import (
	"reflect"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k1s-io/k1s/internal/embedded/status"
)

func TestConditions(t *testing.T) {
	then := metav1.NewTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	now := metav1.NewTime(then.Add(time.Hour))
	condition := func(status metav1.ConditionStatus, reason string, generation int64, at metav1.Time) metav1.Condition {
		return metav1.Condition{Type: "Ready", Status: status, Reason: reason, ObservedGeneration: generation, LastTransitionTime: at}
	}
	foreign := metav1.Condition{Type: "Indexed", Status: metav1.ConditionTrue, Reason: "Plugin", LastTransitionTime: then}

	cases := []struct {
		name, why   string
		current     []metav1.Condition
		wanted      metav1.Condition
		want        metav1.Condition
		wantChanged bool
	}{
		{
			name: "first", why: "nothing was written yet",
			wanted:      condition(metav1.ConditionTrue, "A", 1, metav1.Time{}),
			want:        condition(metav1.ConditionTrue, "A", 1, now),
			wantChanged: true,
		},
		{
			name: "unchanged", why: "a second run must not write",
			current: []metav1.Condition{foreign, condition(metav1.ConditionTrue, "A", 1, then)},
			wanted:  condition(metav1.ConditionTrue, "A", 1, metav1.Time{}),
			want:    condition(metav1.ConditionTrue, "A", 1, then),
		},
		{
			name: "other reason", why: "only a change of the status is a transition",
			current:     []metav1.Condition{condition(metav1.ConditionTrue, "A", 1, then)},
			wanted:      condition(metav1.ConditionTrue, "B", 1, metav1.Time{}),
			want:        condition(metav1.ConditionTrue, "B", 1, then),
			wantChanged: true,
		},
		{
			name: "other generation", why: "readers wait for it",
			current:     []metav1.Condition{condition(metav1.ConditionTrue, "A", 1, then)},
			wanted:      condition(metav1.ConditionTrue, "A", 2, metav1.Time{}),
			want:        condition(metav1.ConditionTrue, "A", 2, then),
			wantChanged: true,
		},
		{
			name: "transition", why: "the status changed now",
			current:     []metav1.Condition{condition(metav1.ConditionTrue, "A", 1, then)},
			wanted:      condition(metav1.ConditionFalse, "B", 1, metav1.Time{}),
			want:        condition(metav1.ConditionFalse, "B", 1, now),
			wantChanged: true,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, changed := status.Conditions(c.current, now, c.wanted)
			if want := []metav1.Condition{c.want}; !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got %+v, want %+v", c.why, got, want)
			}
			if changed != c.wantChanged {
				t.Errorf("%s: changed = %t, want %t", c.why, changed, c.wantChanged)
			}
		})
	}
}

func TestSummary(t *testing.T) {
	cases := []struct {
		name, why string
		condition metav1.Condition
		want      metav1.Condition
	}{
		{
			name: "true", why: "the reason is the summary's own, as there is nothing to explain",
			condition: metav1.Condition{Type: "Found", Status: metav1.ConditionTrue, Reason: "Seen", Message: "m", ObservedGeneration: 3},
			want:      metav1.Condition{Type: "Ready", Status: metav1.ConditionTrue, Reason: "Reconciled", ObservedGeneration: 3},
		},
		{
			name: "false", why: "the reader of Ready alone learns what is wrong",
			condition: metav1.Condition{Type: "Found", Status: metav1.ConditionFalse, Reason: "Lost", Message: "m", ObservedGeneration: 3},
			want:      metav1.Condition{Type: "Ready", Status: metav1.ConditionFalse, Reason: "Lost", Message: "m", ObservedGeneration: 3},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := status.Summary(c.condition, "Ready", "Reconciled"); got != c.want {
				t.Errorf("%s: got %+v, want %+v", c.why, got, c.want)
			}
		})
	}
}
