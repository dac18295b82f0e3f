// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"runtime"
)

// turns is a semaphore for calls that have run for longer than a slice. It limits how many of them run at the same
// time, and the others wait in order. It leaves one processor free where there are several: when all processors are
// busy, Go's scheduler polls the network only every 10 ms (runtime.sysmon), and an admission request consists of
// several messages.
type turns chan struct{}

func newTurns(processors int) turns { return make(turns, max(processors-1, 1)) }

// turn is the state of one instance in turns. Calls that are shorter than a slice never acquire it.
type turn struct {
	turns turns
	taken bool
}

// next yields to other calls and acquires turns again. It stops the guest if its time runs out before.
func (t *turn) next(ctx context.Context) {
	t.giveBack()
	runtime.Gosched() // with one processor, no other goroutine would run
	t.take(ctx)
}

func (t *turn) take(ctx context.Context) {
	select {
	case t.turns <- struct{}{}:
	default: // waiting makes the call context create a timer
		select {
		case t.turns <- struct{}{}:
		case <-ctx.Done():
			panic(timeout(ctx))
		}
	}
	t.taken = true
}

// giveBack releases the turn, and reports whether the call had one.
func (t *turn) giveBack() bool {
	if !t.taken {
		return false
	}
	t.taken = false
	<-t.turns
	return true
}

// without runs a function that blocks. Another call can have the turn while it blocks.
func (t *turn) without(ctx context.Context, waits func()) {
	had := t.giveBack()
	waits()
	if had && ctx.Err() == nil {
		t.take(ctx)
	}
}
