// SPDX-License-Identifier: Apache-2.0

package k1s_test

import (
	"slices"
	"testing"
	"time"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
	"github.com/k1s-io/k1s/plugins/sdk/go/k1stest"
)

func TestSetCondition(t *testing.T) {
	host := k1stest.New(t)
	const before = "2025-01-01T00:00:00Z"
	now := k1s.Timestamp(k1s.Now())
	ready := k1s.Condition{Type: "Ready", Status: k1s.ConditionTrue, Reason: "Done", LastTransitionTime: before}
	other := k1s.Condition{Type: "Other", Status: k1s.ConditionFalse, Reason: "No", LastTransitionTime: before}
	with := func(change func(*k1s.Condition)) k1s.Condition {
		c := ready
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		old     []k1s.Condition
		set     k1s.Condition
		want    k1s.Condition
		changed bool
	}{
		"new one gets the current time": {
			nil, with(func(c *k1s.Condition) { c.LastTransitionTime = "" }),
			with(func(c *k1s.Condition) { c.LastTransitionTime = now }), true,
		},
		"equal one changes nothing": {
			[]k1s.Condition{other, ready}, with(func(c *k1s.Condition) { c.LastTransitionTime = "" }), ready, false,
		},
		"other message keeps the time": {
			[]k1s.Condition{ready, other},
			with(func(c *k1s.Condition) { c.Message, c.LastTransitionTime = "new", "" }),
			with(func(c *k1s.Condition) { c.Message = "new" }), true,
		},
		"other status moves the time": {
			[]k1s.Condition{ready},
			with(func(c *k1s.Condition) { c.Status, c.LastTransitionTime = k1s.ConditionFalse, "" }),
			with(func(c *k1s.Condition) { c.Status, c.LastTransitionTime = k1s.ConditionFalse, now }), true,
		},
		"time of one's own is taken with another status": {
			[]k1s.Condition{ready},
			with(func(c *k1s.Condition) { c.Status, c.LastTransitionTime = k1s.ConditionUnknown, "2025-06-01T00:00:00Z" }),
			with(func(c *k1s.Condition) { c.Status, c.LastTransitionTime = k1s.ConditionUnknown, "2025-06-01T00:00:00Z" }), true,
		},
	} {
		conditions := slices.Clone(c.old)
		if changed := k1s.SetCondition(&conditions, c.set); changed != c.changed {
			t.Errorf("%s: changed = %v", name, changed)
		}
		if got := k1s.FindCondition(conditions, "Ready"); got == nil || *got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
		if found := k1s.FindCondition(conditions, "Other"); found != nil && *found != other {
			t.Errorf("%s: the other condition became %+v", name, *found)
		}
	}
	host.Advance(time.Hour)
	if k1s.Timestamp(k1s.Now()) == now {
		t.Error("the clock does not move")
	}
}

func TestIsConditionTrue(t *testing.T) {
	t.Parallel()
	conditions := []k1s.Condition{{Type: "A", Status: k1s.ConditionTrue}, {Type: "B", Status: k1s.ConditionFalse}}
	if !k1s.IsConditionTrue(conditions, "A") || k1s.IsConditionTrue(conditions, "B") || k1s.IsConditionTrue(conditions, "C") {
		t.Error("only A is true")
	}
}

func TestConditions_roundTrip(t *testing.T) {
	t.Parallel()
	want := []k1s.Condition{
		{Type: "A", Status: k1s.ConditionTrue, ObservedGeneration: 3, LastTransitionTime: "2026-01-01T00:00:00Z", Reason: "R", Message: "m"},
		{Type: "B", Status: k1s.ConditionUnknown, Reason: "S"},
	}
	var e json.Encoder
	k1s.WriteConditions(&e, want)
	d := json.NewDecoder(string(e.Bytes()))
	if got := k1s.ReadConditions(d); !slices.Equal(got, want) || d.End() != nil {
		t.Errorf("got %+v, %v", got, d.End())
	}
}
