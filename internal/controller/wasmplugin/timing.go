// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"cmp"
	"time"
)

// Timing are the durations that the Reconciler waits if no event ends the wait earlier. Zero means the default, which
// is right for a cluster. Tests set other durations, to wait less, or to be independent of the machine's speed.
type Timing struct {
	// PermissionsGrace is how long the finalizer of a plugin without permissions keeps blocking the deletion of objects. By
	// default it is permissionsGrace.
	PermissionsGrace time.Duration
	// PollAfter is the delay before a waiting plugin is reconciled again. By default it is pollAfter.
	PollAfter time.Duration
	// CheckEvery is the shortest time between two checks of a plugin's permissions. By default it is checkEvery.
	CheckEvery time.Duration
	// SettleTime is how long a plugin's permissions are checked again after a change. By default it is settleTime.
	SettleTime time.Duration
}

// orDefault returns the durations with the defaults for those that are zero.
func (t Timing) orDefault() Timing {
	return Timing{
		PermissionsGrace: cmp.Or(t.PermissionsGrace, permissionsGrace),
		PollAfter:        cmp.Or(t.PollAfter, pollAfter),
		CheckEvery:       cmp.Or(t.CheckEvery, checkEvery),
		SettleTime:       cmp.Or(t.SettleTime, settleTime),
	}
}
