// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"fmt"
	"time"
)

// unhealthyAfter is how many failures in a row, of any objects, mean that the controller is broken rather than an
// object. One object alone is retried this often within 5 s.
const unhealthyAfter = 10

// HealthStatus is the health of a controller.
type HealthStatus struct {
	// Healthy is false while the controller starts, after a start that failed, and after 10 failed reconciles in a row.
	// A controller that was stopped intentionally is healthy.
	Healthy bool
	// Message is the explanation, for people.
	Message string
	// Running is true from Start to Stop.
	Running bool
	// Synced is true once the informers have synced and the workers run.
	Synced bool
	// ConsecutiveErrors is the number of failed reconciles since the last success or the start.
	ConsecutiveErrors int
	// LastError is the last reconcile's error, kept after successes; empty if there was none.
	LastError string
	// LastErrorTime is when that was.
	LastErrorTime time.Time
}

// phase is the state of a controller's life cycle.
type phase int

const (
	notStarted phase = iota
	starting
	running
	stopped
	failed
)

// GetHealth returns the health of the controller.
func (b *base) GetHealth() HealthStatus {
	b.mu.Lock()
	phase, failure := b.phase, b.failure
	b.mu.Unlock()
	return health(phase, failure, b.meter.streak())
}

// health returns the HealthStatus of a controller.
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

// down reports whether a controller ought to run and does not. Failing reconciles do not count: otherwise, one object
// could make the process unready, so that the webhooks of all other objects would fail.
func (h HealthStatus) down() bool { return !h.Healthy && !h.Synced }
