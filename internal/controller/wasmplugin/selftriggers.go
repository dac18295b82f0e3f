// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/k1s-io/k1s/internal/watch"
)

const (
	// selfTriggersFree is how many times in a row the plugin's own writes alone may have an object reconciled: a state
	// machine takes a step with each, and writing a status takes one.
	selfTriggersFree = 20
	// minSelfDelay and maxSelfDelay bound the delays of those that follow; each is twice the one before.
	minSelfDelay = time.Second
	maxSelfDelay = 5 * time.Minute
)

// selfTriggers notices objects that a plugin reconciles again and again because of nothing but its own writes, and
// slows them down: each write makes an event, which makes the next write. It is safe for concurrent use.
type selfTriggers struct {
	clock clock.PassiveClock

	mu       sync.Mutex
	byObject map[watch.Request]*selfTrigger
}

// selfTrigger is an object that was last reconciled because of the plugin's own writes.
type selfTrigger struct {
	// inARow counts how many times that was the only cause.
	inARow int
	// until is when the object's turn comes; zero when nothing is delayed.
	until time.Time
}

// delay returns how long a turn is to be delayed, and whether that is the first time for the object since something
// else had it reconciled.
func (s *selfTriggers) delay(req watch.Request, turn watch.Turn, own func(watch.Cause) bool) (wait time.Duration, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.byObject[req]
	switch {
	case len(turn.Causes) == 0 && !turn.Other:
		return s.withoutCause(req, turn, t), false
	case turn.Other, !allOwn(turn.Causes, own):
		delete(s.byObject, req)
		return 0, false
	case t == nil:
		if s.byObject == nil {
			s.byObject = map[watch.Request]*selfTrigger{}
		}
		t = &selfTrigger{}
		s.byObject[req] = t
	}
	t.inARow++
	if t.inARow <= selfTriggersFree {
		return 0, false
	}
	doubled := min(t.inARow-selfTriggersFree-1, 30)
	wait = min(minSelfDelay<<doubled, maxSelfDelay)
	t.until = s.clock.Now().Add(wait)
	return wait, t.inARow == selfTriggersFree+1
}

// withoutCause is delay for a turn that was delayed, is a retry, or that the guest has asked for.
func (s *selfTriggers) withoutCause(req watch.Request, turn watch.Turn, t *selfTrigger) time.Duration {
	switch {
	case t == nil:
		return 0
	case !t.until.IsZero():
		if wait := t.until.Sub(s.clock.Now()); wait > 0 {
			return wait
		}
		t.until = time.Time{} // its turn has come; its writes still count
		return 0
	case turn.Attempt > 1:
		return 0
	}
	delete(s.byObject, req) // the guest has asked for it: it polls
	return 0
}

func allOwn(causes []watch.Cause, own func(watch.Cause) bool) bool {
	for _, c := range causes {
		if !own(c) {
			return false
		}
	}
	return true
}
