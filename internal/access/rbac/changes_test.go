// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"strconv"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
)

func TestLedger_bounded(t *testing.T) {
	t.Parallel()
	clk := clocktesting.NewFakeClock(time.Now())
	l := newLedger(clk)
	account := func(i int) Change { return Change{Subject{"ns", strconv.Itoa(i)}, ""} }
	for i := range maxMarks {
		l.note([]Change{account(i)})
	}
	clk.Step(keepMarks + 1)
	l.note([]Change{account(-1)})
	if len(l.marks) != 1 {
		t.Errorf("%d old marks are left", len(l.marks)-1)
	}
	all := make([]Change, maxMarks+1)
	for i := range all {
		all[i] = account(i)
	}
	before := l.last(Identity{Namespace: "other"}, "")
	l.note(all)
	if len(l.marks) != 1 || l.last(Identity{Namespace: "other"}, "") == before {
		t.Errorf("%d marks are left, want one that is for everybody", len(l.marks))
	}
}
