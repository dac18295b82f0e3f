// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/k1s-io/k1s/internal/watch"
)

func TestSelfTriggers(t *testing.T) {
	t.Parallel()
	req := watch.Request{GVK: item(), NamespacedName: types.NamespacedName{Namespace: "shop", Name: "hammer"}}
	own := func(c watch.Cause) bool { return c.UID == "own" }
	byItself := watch.Turn{Attempt: 1, Causes: []watch.Cause{{UID: "own", ResourceVersion: "1"}}}
	byOthers := watch.Turn{Attempt: 1, Causes: []watch.Cause{{UID: "own", ResourceVersion: "1"}, {UID: "other", ResourceVersion: "2"}}}
	asked, retried, listed := watch.Turn{Attempt: 1}, watch.Turn{Attempt: 2}, watch.Turn{Attempt: 1, Other: true}

	type step struct {
		turn  watch.Turn
		times int
		wait  time.Duration
		first bool
	}
	run := func(name string, steps ...step) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clk := clocktesting.NewFakePassiveClock(time.Now())
			s := selfTriggers{clock: clk}
			for i, st := range steps {
				for range max(st.times, 1) {
					wait, first := s.delay(req, st.turn, own)
					if wait != st.wait || first != st.first {
						t.Fatalf("step %d: waits %s, first %t, want %s, %t", i, wait, first, st.wait, st.first)
					}
					if i > 0 && st.turn.Causes != nil {
						clk.SetTime(clk.Now().Add(wait))
					}
				}
			}
		})
	}
	free := step{turn: byItself, times: selfTriggersFree}
	run("its own writes alone",
		free, step{turn: byItself, wait: time.Second, first: true}, step{turn: asked}, step{turn: byItself, wait: 2 * time.Second},
		step{turn: asked}, step{turn: byItself, wait: 4 * time.Second})
	run("others' writes in between", free, step{turn: byOthers}, free, step{turn: listed}, free)
	run("others' writes during a delay", free, step{turn: byItself, wait: time.Second, first: true}, step{turn: byOthers}, free)
	run("a plugin that polls and writes", step{turn: byItself}, step{turn: asked}, free, step{turn: asked}, free)
	run("a write that fails each time", free, step{turn: retried}, step{turn: byItself, wait: time.Second, first: true})
}
