// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv/cputime"
)

// neighbor does something repeatedly, and records the longest time between two completions: wall-clock time, and the
// processor time that the process used meanwhile.
type neighbor struct {
	what string
	do   func() error

	mu      sync.Mutex
	times   int
	last    time.Time
	longest time.Duration
	busy    time.Duration // the processor time of the process at the last completion
	busiest time.Duration
	err     error
}

// watch runs a witness until the context ends.
func (w *neighbor) watch(ctx context.Context) {
	w.last, w.busy = time.Now(), cputime.Now()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		err := w.do()
		w.mu.Lock()
		now, busy := time.Now(), cputime.Now()
		w.times, w.longest, w.last = w.times+1, max(w.longest, now.Sub(w.last)), now
		w.busiest, w.busy = max(w.busiest, busy-w.busy), busy
		if w.err == nil {
			w.err = err
		}
		w.mu.Unlock()
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

func (w *neighbor) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.times
}

// verdict returns the result of the witness so far.
func (w *neighbor) verdict() (notes string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	longest, busiest := max(w.longest, time.Since(w.last)), max(w.busiest, cputime.Now()-w.busy)
	notes = fmt.Sprintf("%s %d times, at least every %s, or %s of processor time", w.what, w.times, longest.Round(time.Microsecond), busiest.Round(time.Microsecond))
	switch {
	case w.err != nil:
		return notes, fmt.Errorf("%s: %w", w.what, w.err)
	case busiest > stall, longest > timeout:
		return notes, fmt.Errorf("%s: nothing for %s, or %s of processor time", w.what, longest, busiest)
	}
	return notes, nil
}

// newNeighbor returns a witness that calls a good plugin.
func newNeighbor(ctx context.Context, good plugin.Runner) *neighbor {
	n := 0
	return &neighbor{what: "the neighbor answered", do: func() error {
		n++
		input := fmt.Appendf(nil, "call %d of the neighbor", n)
		reply, err := good.Call(ctx, plugin.Call{Export: abi.ExportReconcile, Input: input})
		if err == nil && !bytes.Equal(reply, input) {
			err = fmt.Errorf("got %q, want %q", reply, input)
		}
		return err
	}}
}

// newCollector returns a witness that collects garbage, which has to stop all goroutines of the process.
func newCollector() *neighbor {
	return &neighbor{what: "garbage was collected", do: func() error {
		runtime.GC()
		return nil
	}}
}
