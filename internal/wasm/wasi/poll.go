// SPDX-License-Identifier: Apache-2.0

package wasi

import (
	"math"
	"time"
)

const (
	// maxSubscriptions is how many events one poll_oneoff waits for. There are three file descriptors and two clocks;
	// Go's runtime asks for one timer and for the descriptors that block.
	maxSubscriptions = 64
	subscriptionSize = 48
	eventSize        = 32

	eventClock = 0
	eventRead  = 1
	eventWrite = 2
)

// poll is poll_oneoff(subscriptions, events, count, result). It returns when the first of the events has occurred:
// streams never block, so timers are waited for only where there is nothing else.
func poll(c *call) errno {
	count := c.u32(2)
	if count == 0 || count > maxSubscriptions {
		return inval
	}
	in, ok := read(c.memory(), c.u32(0), count, subscriptionSize)
	if !ok {
		return fault
	}
	out, ok := read(c.memory(), c.u32(1), count, eventSize)
	if !ok {
		return fault
	}
	// What is written may lie over what is read.
	subscriptions := make([]subscription, 0, count)
	for ; len(in) > 0; in = in[subscriptionSize:] {
		s, e := parseSubscription(in)
		if e != success {
			return e
		}
		subscriptions = append(subscriptions, s)
	}
	ready := occurred(subscriptions)
	if wait := soonest(ready); wait > 0 {
		c.Sleep(wait)
	}
	clear(out)
	for _, s := range ready {
		s.write(out)
		out = out[eventSize:]
	}
	if !c.memory().WriteUint32Le(c.u32(3), uint32(len(ready))) {
		return fault
	}
	return success
}

// subscription is an event that is waited for.
type subscription struct {
	userdata uint64
	kind     byte
	result   errno
	// wait is when a timer fires, from now on.
	wait time.Duration
}

// parseSubscription reads a subscription of eventClock, eventRead or eventWrite.
func parseSubscription(raw []byte) (subscription, errno) {
	s := subscription{userdata: le.Uint64(raw), kind: raw[8]}
	body := raw[16:]
	switch s.kind {
	case eventClock:
		wait, e := timer(le.Uint32(body), le.Uint64(body[8:]), le.Uint16(body[24:]))
		s.wait = wait
		return s, e
	case eventRead, eventWrite:
		fd := le.Uint32(body)
		if !isStream(fd) || (fd == stdin) != (s.kind == eventRead) {
			s.result = badf
		}
		return s, success
	default:
		return s, inval
	}
}

// timer returns how long a timer runs from now on: until a time of its clock if the flag abstime is set.
func timer(clock uint32, timeout uint64, flags uint16) (time.Duration, errno) {
	const abstime = 1
	if clock > clockMonotonic || flags > abstime {
		return 0, inval
	}
	if flags == abstime {
		now := time.Since(epoch).Nanoseconds()
		if clock == clockRealtime {
			now = time.Now().UnixNano()
		}
		timeout -= min(timeout, uint64(now))
	}
	return time.Duration(min(timeout, math.MaxInt64)), success
}

// occurred returns the events that poll_oneoff tells of: those of streams, which are ready at once, or else the timers
// that fire first.
func occurred(all []subscription) []subscription {
	var ready []subscription
	for _, s := range all {
		if s.kind != eventClock || s.wait == 0 {
			ready = append(ready, s)
		}
	}
	if len(ready) > 0 {
		return ready
	}
	first := soonest(all)
	for _, s := range all {
		if s.wait == first {
			ready = append(ready, s)
		}
	}
	return ready
}

func soonest(all []subscription) time.Duration {
	first := all[0].wait
	for _, s := range all {
		first = min(first, s.wait)
	}
	return first
}

// write writes the event: userdata, error, type, and how many bytes there are to read or room for, which is not known.
func (s subscription) write(out []byte) {
	le.PutUint64(out, s.userdata)
	le.PutUint16(out[8:], uint16(s.result))
	out[10] = s.kind
}
