// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"cmp"
	"time"
)

// Timing is how long the Reconciler waits where no event tells that it need not. 0 means the default, which is right
// for a cluster; tests set other durations, to wait less, or not to depend on how fast the machine is.
type Timing struct {
	// RightsGrace is how long the objects of a plugin without rights go on waiting for it. By default it is rightsGrace.
	RightsGrace time.Duration
	// PollAfter is the time after which a plugin that waits is reconciled again. By default it is pollAfter.
	PollAfter time.Duration
	// CheckEvery is the least time between two looks at a plugin's rights. By default it is checkEvery.
	CheckEvery time.Duration
	// SettleTime is how long a plugin's rights are looked at after a change. By default it is settleTime.
	SettleTime time.Duration
}

func (t Timing) rightsGrace() time.Duration { return cmp.Or(t.RightsGrace, rightsGrace) }

func (t Timing) pollAfter() time.Duration { return cmp.Or(t.PollAfter, pollAfter) }

func (t Timing) checkEvery() time.Duration { return cmp.Or(t.CheckEvery, checkEvery) }

func (t Timing) settleTime() time.Duration { return cmp.Or(t.SettleTime, settleTime) }
