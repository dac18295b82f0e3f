// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/k1s-io/k1s/internal/watch"
)

const (
	// selfTriggersFree is how many times in a row only the plugin's own writes can cause a reconcile of an object
	// without a delay: a state machine takes a step with each, and writing a status takes one.
	selfTriggersFree = 20
	// minSelfDelay and maxSelfDelay are the limits of the delays after that; each delay is twice the previous one.
	minSelfDelay = time.Second
	maxSelfDelay = 5 * time.Minute
)

// selfTriggers detects objects that a plugin reconciles again and again only because of its own writes, and delays
// them: each write causes an event, which causes the next write. It is safe for concurrent use.
type selfTriggers struct {
	clock clock.PassiveClock

	mu       sync.Mutex
	byObject map[watch.Request]*selfTrigger
}

// selfTrigger is an object that was last reconciled because of the plugin's own writes.
type selfTrigger struct {
	// inARow counts how many times that was the only cause.
	inARow int
	// until is the end of the delay; zero if the object is not delayed.
	until time.Time
}

// delay returns how long to delay a turn, and whether this is the object's first delay since something else caused a
// reconcile.
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

// withoutCause is delay for a turn that was delayed, that is a retry, or that the guest has requested.
func (s *selfTriggers) withoutCause(req watch.Request, turn watch.Turn, t *selfTrigger) time.Duration {
	switch {
	case t == nil:
		return 0
	case !t.until.IsZero():
		if wait := t.until.Sub(s.clock.Now()); wait > 0 {
			return wait
		}
		t.until = time.Time{} // the delay is over; the plugin's writes still count
		return 0
	case turn.Attempt > 1:
		return 0
	}
	delete(s.byObject, req) // the guest has requested it: it polls
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
