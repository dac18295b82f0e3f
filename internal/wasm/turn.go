// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"runtime"
)

// turns are taken by calls that have run for longer than a slice: as many of them run at the same time as there are
// turns, first come, first served, and the others wait. They leave one processor to everything else where there are
// several. When all processors are busy, Go's scheduler looks for messages from the network only every 10 ms
// (runtime.sysmon), and an admission request consists of several messages.
type turns chan struct{}

func newTurns(processors int) turns { return make(turns, max(processors-1, 1)) }

// turn is what one instance has of them. Calls that are shorter than a slice never take one.
type turn struct {
	turns turns
	taken bool
}

// next lets others run, and returns when it is the call's turn. It stops the guest if its time is over before.
func (t *turn) next(ctx context.Context) {
	t.giveBack()
	runtime.Gosched() // with one processor, nobody else would run
	t.take(ctx)
}

func (t *turn) take(ctx context.Context) {
	select {
	case t.turns <- struct{}{}:
	default: // waiting for a call context costs it a timer
		select {
		case t.turns <- struct{}{}:
		case <-ctx.Done():
			panic(timeout(ctx))
		}
	}
	t.taken = true
}

// giveBack reports whether the call had a turn.
func (t *turn) giveBack() bool {
	if !t.taken {
		return false
	}
	t.taken = false
	<-t.turns
	return true
}

// without runs something that waits. Meanwhile it is another's turn.
func (t *turn) without(ctx context.Context, waits func()) {
	had := t.giveBack()
	waits()
	if had && ctx.Err() == nil {
		t.take(ctx)
	}
}
