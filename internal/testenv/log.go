// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"sync"
	"testing"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/testr"
)

// testLogger returns a logger to the test's log if tests run verbosely, and one that discards everything otherwise.
func testLogger(t *testing.T) logr.Logger {
	if !testing.Verbose() {
		return logr.Discard()
	}
	log := &endingLog{t: t}
	t.Cleanup(log.end)
	return testr.NewWithInterface(log, testr.Options{})
}

// endingLog is a test's log that discards lines after the test has ended. A manager's event recorder may outlive the
// test, and package testing panics on a line after its end.
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

// end waits for the line that is being logged, and discards all later ones.
func (l *endingLog) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
}
