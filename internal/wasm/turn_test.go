// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"testing"
	"time"

	"github.com/k1s-io/k1s/internal/plugin"
)

func TestNewTurns(t *testing.T) {
	t.Parallel()
	for processors, want := range map[int]int{1: 1, 2: 1, 3: 2, 64: 63} {
		if got := cap(newTurns(processors)); got != want {
			t.Errorf("%d turns for %d processors, want %d", got, processors, want)
		}
	}
}

// TestTurn_next verifies that a waiting call gets the turn before the call that has just had it.
func TestTurn_next(t *testing.T) {
	t.Parallel()
	shared := newTurns(2)
	one, other := turn{turns: shared}, turn{turns: shared}
	one.next(t.Context())
	var order []string
	waiting, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		close(waiting)
		other.take(t.Context())
		order = append(order, "other")
		other.giveBack()
	}()
	<-waiting
	eventually(t, "the other has had its turn", func() bool {
		one.next(t.Context())
		select {
		case <-ended:
			return true
		default:
			return false
		}
	})
	if len(order) != 1 || !one.taken || len(shared) != 1 {
		t.Errorf("order %v, the first has a turn: %t, %d are taken", order, one.taken, len(shared))
	}
}

// TestTurn_take_timeout verifies that a call that times out while it waits for a turn is stopped and does not take a
// turn.
func TestTurn_take_timeout(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	e.turns = newTurns(1)
	r := load(t, e, "modes", func(req *plugin.LoadRequest) { req.Limits.CallTimeout = 100 * time.Millisecond })
	e.turns <- struct{}{}
	if _, err := mode(t.Context(), r, 'g'); plugin.KindOf(err) != plugin.KindTimeout {
		t.Errorf("got %v, want a timeout", err)
	}
	if len(e.turns) != 1 {
		t.Errorf("%d turns are taken, want the test's own", len(e.turns))
	}
}

// TestTurn_end verifies that a call releases its turn, however it ends.
func TestTurn_end(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	e.turns = newTurns(1)
	r := load(t, e, "modes", func(req *plugin.LoadRequest) { req.Limits.CallTimeout = 100 * time.Millisecond })
	for range 3 {
		if _, err := mode(t.Context(), r, 'g'); plugin.KindOf(err) != plugin.KindTimeout {
			t.Errorf("got %v, want a timeout", err)
		}
		if len(e.turns) != 0 {
			t.Fatalf("%d turns are taken after the call", len(e.turns))
		}
	}
}

// TestTurn_without verifies that a long call does not hold a turn while it waits for the host or sleeps.
func TestTurn_without(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	e.turns = newTurns(1)
	host := newBlockingHost()
	r := load(t, e, "modes", withHost(host.get))
	in := r.(*runner).pool.unused[0].in
	other := turn{turns: e.turns}
	for _, waits := range []struct {
		mode     byte
		argument []byte
	}{{'i', []byte(goodRequest)}, {'q', u64(uint64(time.Millisecond))}} {
		in.turn.take(t.Context()) // as if the call had run for longer than a slice
		ended := make(chan error, 1)
		go func() {
			_, err := mode(t.Context(), r, waits.mode, waits.argument...)
			ended <- err
		}()
		eventually(t, "the call has given its turn back", func() bool { return len(e.turns) == 0 })
		other.take(t.Context())
		if waits.mode == 'i' {
			<-host.entered
			close(host.unblock)
		}
		other.giveBack()
		if err := wait(t, ended); err != nil {
			t.Errorf("mode %c: %v", waits.mode, err)
		}
		if len(e.turns) != 0 {
			t.Errorf("mode %c: %d turns are taken after the call", waits.mode, len(e.turns))
		}
	}
}
