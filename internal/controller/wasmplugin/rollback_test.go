// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"testing"
	"time"

	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// onProbation returns a load of a plugin whose revision "new" has replaced "old", and that has made calls with results.
func onProbation(t *testing.T, clk clock.PassiveClock, results ...error) (*load, *Revisions) {
	t.Helper()
	slots := plugin.NewRegistry(time.Minute)
	t.Cleanup(func() { _ = slots.Close(context.Background()) })
	revisions := NewRevisions(slots, clk)
	l := loadOf(t, nil)
	for _, digest := range []string{"old", "new"} {
		x := revisionOf(l, digest)
		l.current = revisions.install(l.name, &compiled{revision: x, runner: failing{}})
	}
	for _, err := range results {
		_, _ = l.current.track.Runner(failing{err}).Call(t.Context(), plugin.Call{Export: abi.ExportReconcile})
	}
	return l, revisions
}

func TestEvaluate(t *testing.T) {
	t.Parallel()
	trap := &plugin.CallError{Kind: plugin.KindTrap, Err: errors.New("unreachable")}
	traps := []error{trap, trap, trap, trap, trap, trap, trap, trap, trap, trap}
	for name, tt := range map[string]struct {
		results   []error
		wait      time.Duration
		served    bool
		previous  string // who has signed the revisions
		current   string
		rollback  bool
		probation bool
	}{
		"too few calls":                              {nil, 0, true, "", "", false, true},
		"too few calls for too long":                 {nil, probationTime + 1, true, "", "", false, false},
		"calls that succeed":                         {make([]error, 20), 0, true, "", "", false, false},
		"calls that fail":                            {traps, 0, true, "", "", true, true},
		"calls that fail, but so would the other":    {traps, 0, false, "", "", false, true},
		"calls that fail, and the same signer":       {traps, 0, true, "key", "key", true, true},
		"calls that fail, and no signer before":      {traps, 0, true, "", "key", false, false},
		"calls that fail, and another signer before": {traps, 0, true, "old key", "key", false, false},
		"calls that fail, and no signer any more":    {traps, 0, true, "key", "", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clk := clocktesting.NewFakePassiveClock(time.Now())
			l, revisions := onProbation(t, clk, tt.results...)
			clk.SetTime(clk.Now().Add(tt.wait))
			l.current.signer, l.current.probation.previous.signer = tt.current, tt.previous
			permissions := allowing(nil)
			if tt.served {
				permissions = allowing(itemKinds())
			}
			if p := (evaluate{revisions: revisions, permissions: permissions}).run(t.Context(), l); p != nil {
				t.Fatal(p)
			}
			if (l.rollback != nil) != tt.rollback || (l.current.probation != nil) != tt.probation {
				t.Errorf("rollback %v, probation %v", l.rollback, l.current.probation)
			}
		})
	}
}

// TestSwap_rollback shows that the previous revision serves again, with its objects to be reconciled, and that the
// failed one is rejected from then on.
func TestSwap_rollback(t *testing.T) {
	t.Parallel()
	trap := &plugin.CallError{Kind: plugin.KindTrap, Err: errors.New("unreachable")}
	l, revisions := onProbation(t, clock.RealClock{}, trap, trap, trap, trap, trap, trap, trap, trap, trap, trap)
	if p := (evaluate{revisions: revisions, permissions: allowing(itemKinds())}).run(t.Context(), l); p != nil || l.rollback == nil {
		t.Fatalf("got %v, rollback %v", p, l.rollback)
	}
	if p := (swap{revisions: revisions, decorators: fakeDecorators{}}).run(t.Context(), l); p == nil || p.reason != pluginsv1alpha1.ReasonRolledBack || p.recovery != stall {
		t.Fatalf("got %v", p)
	}
	if l.current.digest != "old" || !l.current.resync || revisions.get(l.name) != l.current {
		t.Errorf("serves %+v", l.current)
	}
	next := loadOf(t, nil)
	next.current = l.current
	next.module.Digest = "new"
	if p := rejectRolledBack(t.Context(), next); p == nil || p.reason != pluginsv1alpha1.ReasonRolledBack {
		t.Errorf("the failed one: %v", p)
	}
	next.module.Digest = "newer"
	if p := rejectRolledBack(t.Context(), next); p != nil {
		t.Errorf("another one: %v", p)
	}
}
