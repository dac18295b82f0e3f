// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
)

// guestLog is a logr.LogSink that records the time and the message of each log entry of guests. A guest that logs the
// name of each object shows in this way that it has a result.
type guestLog struct {
	name string
	into *results
}

// results are the log entries of guests.
type results struct {
	mu    sync.Mutex
	times []time.Time
	names map[string]int
}

func newGuestLog() (logr.Logger, *results) {
	r := &results{names: map[string]int{}}
	return logr.New(guestLog{into: r}), r
}

// reset removes all results.
func (r *results) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.times, r.names = nil, map[string]int{}
}

// between returns the times of the results between two times.
func (r *results) between(from, to time.Time) []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	var in []time.Time
	for _, t := range r.times {
		if !t.Before(from) && !t.After(to) {
			in = append(in, t)
		}
	}
	return in
}

// seen reports whether a name was logged.
func (r *results) seen(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.names[name] > 0
}

// longestGap returns the longest time between two consecutive results.
func longestGap(times []time.Time) time.Duration {
	var longest time.Duration
	for i := 1; i < len(times); i++ {
		longest = max(longest, times[i].Sub(times[i-1]))
	}
	return longest
}

// Init implements logr.LogSink.
func (guestLog) Init(logr.RuntimeInfo) {}

// Enabled implements logr.LogSink.
func (guestLog) Enabled(level int) bool { return level == 0 }

// Info implements logr.LogSink.
func (l guestLog) Info(_ int, message string, _ ...any) {
	if !strings.HasSuffix(l.name, "guest") {
		return // an entry of the operator itself
	}
	l.into.mu.Lock()
	defer l.into.mu.Unlock()
	l.into.times = append(l.into.times, time.Now())
	l.into.names[message]++
}

// Error implements logr.LogSink.
func (guestLog) Error(error, string, ...any) {}

// WithValues implements logr.LogSink.
func (l guestLog) WithValues(...any) logr.LogSink { return l }

// WithName implements logr.LogSink.
func (l guestLog) WithName(name string) logr.LogSink {
	l.name = name
	return l
}
