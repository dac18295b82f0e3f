// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen at all.
const patience = 3 * time.Minute

var errClosedRunner = errors.New("called when it was closed")

// fakeRunner answers every call, and remembers whether it was closed.
type fakeRunner struct {
	reply []byte
	err   error
	// entered gets something at each call, if it is there, and the call waits for release.
	entered, release chan struct{}

	inside, calls atomic.Int32
	closed        atomic.Bool
	// cutOff is set when it was closed while a call was inside.
	cutOff atomic.Bool
}

func newBlockedRunner() *fakeRunner {
	return &fakeRunner{entered: make(chan struct{}, 100), release: make(chan struct{})}
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
		<-r.release
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

// eventually waits for a condition.
func eventually(tb testing.TB, what string, condition func() bool) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
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
