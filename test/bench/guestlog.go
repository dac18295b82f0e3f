// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
)

// results are the times and the messages of the log entries of guests. A guest that logs the name of each object shows
// in this way that it has a result.
type results struct {
	mu    sync.Mutex
	times []time.Time
	names map[string]bool
}

// newGuestLog returns a logger for an operator, and the results that it records.
func newGuestLog() (logr.Logger, *results) {
	r := &results{names: map[string]bool{}}
	return funcr.New(func(logger, entry string) {
		if !strings.HasSuffix(logger, "guest") {
			return // an entry of the operator itself
		}
		_, message, _ := strings.Cut(entry, `"msg"="`)
		name, _, _ := strings.Cut(message, `"`)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.times = append(r.times, time.Now())
		r.names[name] = true
	}, funcr.Options{}), r
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
	return r.names[name]
}

// longestGap returns the longest time between two consecutive results.
func longestGap(times []time.Time) time.Duration {
	var longest time.Duration
	for i := 1; i < len(times); i++ {
		longest = max(longest, times[i].Sub(times[i-1]))
	}
	return longest
}
