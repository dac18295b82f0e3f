// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"sync"
	"testing"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/testr"
)

// testLogger logs to the test's own log when tests run verbosely, and nowhere otherwise.
func testLogger(t *testing.T) logr.Logger {
	if !testing.Verbose() {
		return logr.Discard()
	}
	log := &endingLog{t: t}
	t.Cleanup(log.end)
	return testr.NewWithInterface(log, testr.Options{})
}

// endingLog is a test's log that falls silent when the test ends. A manager's recorder of events may
// outlive it, and for package testing a line that comes later is a panic.
type endingLog struct {
	t *testing.T

	mu    sync.Mutex
	ended bool
}

// Helper marks the caller as a helper.
func (l *endingLog) Helper() { l.t.Helper() }

// Log logs a line.
func (l *endingLog) Log(args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ended {
		l.t.Log(args...)
	}
}

// end waits for the line being logged and lets no other follow.
func (l *endingLog) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
}
