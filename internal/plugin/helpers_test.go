// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

// timeout is the maximum time that a test waits for an event.
const timeout = 3 * time.Minute

var errClosedRunner = errors.New("called when it was closed")

// fakeRunner returns the same result for every call, and records whether it was closed.
type fakeRunner struct {
	reply []byte
	err   error
	// entered, if set, receives a value at each call, which then waits for release.
	entered, unblock chan struct{}

	inside, calls atomic.Int32
	closed        atomic.Bool
	// cutOff is set if the Runner was closed during a call.
	cutOff atomic.Bool
}

func newBlockedRunner() *fakeRunner {
	return &fakeRunner{entered: make(chan struct{}, 100), unblock: make(chan struct{})}
}

func (r *fakeRunner) Call(_ context.Context, _ Call) ([]byte, error) {
	if r.closed.Load() {
		return nil, errClosedRunner
	}
	r.calls.Add(1)
	r.inside.Add(1)
	defer r.inside.Add(-1)
	if r.entered != nil {
		r.entered <- struct{}{}
		<-r.unblock
	}
	if r.closed.Load() {
		return nil, errClosedRunner
	}
	return r.reply, r.err
}

func (r *fakeRunner) Close(context.Context) error {
	r.cutOff.Store(r.inside.Load() > 0)
	if r.closed.Swap(true) {
		return errors.New("closed twice")
	}
	return nil
}

// eventually waits until a condition is true.
func eventually(tb testing.TB, what string, condition func() bool) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), timeout)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			tb.Fatal("waited in vain until " + what)
		}
	}
}
