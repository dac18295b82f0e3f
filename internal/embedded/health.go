// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"fmt"
	"time"
)

// unhealthyAfter is how many failures in a row, of whatever objects, say that it is the controller
// rather than an object that is broken. One object alone is retried this often within 5 s.
const unhealthyAfter = 10

// HealthStatus is how a controller is.
type HealthStatus struct {
	// Healthy is false while a start is under way, after one that failed, and after 10 failed
	// reconciles in a row. A controller that is stopped because it is meant to be is healthy.
	Healthy bool
	// Message says why, for people.
	Message string
	// Running is true from Start to Stop.
	Running bool
	// Synced is true once the informers have synced and the workers run.
	Synced bool
	// ConsecutiveErrors is the number of failed reconciles since the last good one or the start.
	ConsecutiveErrors int
	// LastError is the last reconcile's error, kept after successes; empty if there was none.
	LastError string
	// LastErrorTime is when that was.
	LastErrorTime time.Time
}

// phase is where a controller is in its life.
type phase int

const (
	notStarted phase = iota
	starting
	running
	stopped
	failed
)

// GetHealth returns how the controller is.
func (b *base) GetHealth() HealthStatus {
	b.mu.Lock()
	phase, failure := b.phase, b.failure
	b.mu.Unlock()
	return health(phase, failure, b.meter.streak())
}

// health judges.
func health(phase phase, failure error, streak errorStreak) HealthStatus {
	status := HealthStatus{
		Running:           phase == starting || phase == running,
		Synced:            phase == running,
		ConsecutiveErrors: streak.length,
		LastErrorTime:     streak.at,
	}
	if streak.last != nil {
		status.LastError = streak.last.Error()
	}
	switch phase {
	case notStarted:
		status.Healthy, status.Message = true, "not started"
	case starting:
		status.Message = "waiting for the informers"
	case running:
		status.Healthy, status.Message = true, "running"
		if streak.length >= unhealthyAfter {
			status.Healthy = false
			status.Message = fmt.Sprintf("%d reconciles failed in a row; the last: %v", streak.length, streak.last)
		}
	case stopped:
		status.Healthy, status.Message = true, "stopped"
	case failed:
		status.Message = failure.Error()
	}
	return status
}

// down says that a controller ought to serve and does not. Failing reconciles are not enough: were
// they, one object could take the process's readiness, and with it its webhooks, away from all others.
func (h HealthStatus) down() bool { return !h.Healthy && !h.Synced }
