// SPDX-License-Identifier: Apache-2.0

package wasi

import (
	"math"
	"time"
)

const (
	// maxSubscriptions is the maximum number of subscriptions of one poll_oneoff. There are three file descriptors and
	// two clocks. Go's runtime subscribes to one timer and to the descriptors that block.
	maxSubscriptions = 64
	subscriptionSize = 48
	eventSize        = 32

	eventClock = 0
	eventRead  = 1
	eventWrite = 2
)

// poll implements poll_oneoff(subscriptions, events, count, result). It returns when the first event has occurred.
// Streams never block, so it waits for timers only if there is no subscription to a stream.
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
	// The output may overlap the input.
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

// subscription is an event for which the guest waits.
type subscription struct {
	userdata uint64
	kind     byte
	result   errno
	// wait is the time until a timer fires.
	wait time.Duration
}

// parseSubscription parses a subscription of type eventClock, eventRead or eventWrite.
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

// timer returns the time until a timer fires. If the flag abstime is set, timeout is a time of its clock.
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

// occurred returns the events that poll_oneoff reports: the events that are ready at once, such as those of streams, or
// else the timers that fire first.
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

// write writes the event: userdata, error and type. The number of bytes that can be read or written is unknown and
// stays 0.
func (s subscription) write(out []byte) {
	le.PutUint64(out, s.userdata)
	le.PutUint16(out[8:], uint16(s.result))
	out[10] = s.kind
}
