// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// get calls a guest that calls the host, in the background.
func get(ctx context.Context, r plugin.Runner) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := mode(ctx, r, 'i', []byte(goodRequest)...)
		done <- err
	}()
	return done
}

// wait returns the result of a background call.
func wait(tb testing.TB, done <-chan error) error {
	tb.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(callTimeout):
		tb.Fatal("the call does not end")
		return nil
	}
}

// TestRunner_Call_concurrent verifies that concurrent calls run on separate instances up to the maximum, and that the
// next call waits.
func TestRunner_Call_concurrent(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	host := newBlockingHost()
	r := load(t, e, "modes", withHost(host.get), func(req *plugin.LoadRequest) { req.Limits.MaxInstances = 2 })
	first, second := get(t.Context(), r), get(t.Context(), r)
	<-host.entered
	<-host.entered
	impatient, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := mode(impatient, r, 'n')
	if plugin.KindOf(err) != plugin.KindInstance || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a third call: got %v, want that it waited", err)
	}
	third := get(t.Context(), r)
	close(host.unblock)
	for _, done := range []<-chan error{first, second, third} {
		if err := wait(t, done); err != nil {
			t.Error(err)
		}
	}
	if got := len(host.entered); got != 1 {
		t.Errorf("the third call asked the host %d times, want 1", got)
	}
}

func TestRunner_Close_cutsOff(t *testing.T) {
	t.Parallel()
	loop := func(ctx context.Context, r plugin.Runner) <-chan error {
		done := make(chan error, 1)
		go func() {
			_, err := mode(ctx, r, 'g')
			done <- err
		}()
		return done
	}
	sleep := func(ctx context.Context, r plugin.Runner) <-chan error {
		done := make(chan error, 1)
		go func() {
			_, err := mode(ctx, r, 'q', u64(uint64(24*time.Hour))...)
			done <- err
		}()
		return done
	}
	tests := []struct {
		name string
		call func(context.Context, plugin.Runner) <-chan error
	}{
		{"in a loop", loop},
		{"in a host function", get},
		{"asleep", sleep},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, _ := newEngine(t)
			r := load(t, e, "modes", withHost(newBlockingHost().get), func(req *plugin.LoadRequest) { req.Limits.CallTimeout = time.Hour })
			running := tt.call(t.Context(), r)
			eventually(t, "the call runs", func() bool { return len(r.(*runner).pool.slots) == 1 })
			waiting := get(t.Context(), r)
			if err := r.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			for name, done := range map[string]<-chan error{"running": running, "waiting": waiting} {
				if err := wait(t, done); plugin.KindOf(err) != plugin.KindClosed {
					t.Errorf("%s: got %v, want %s", name, err, plugin.KindClosed)
				}
			}
			if _, err := mode(t.Context(), r, 'n'); plugin.KindOf(err) != plugin.KindClosed {
				t.Errorf("later: got %v, want %s", err, plugin.KindClosed)
			}
			if err := r.Close(t.Context()); err != nil {
				t.Errorf("closed twice: %v", err)
			}
		})
	}
}

// TestRunner_Call_canceled verifies that a call ends when its caller cancels it, and that the next call is not
// affected.
func TestRunner_Call_canceled(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	host := newBlockingHost()
	r := load(t, e, "modes", withHost(host.get))
	ctx, cancel := context.WithCancel(t.Context())
	done := get(ctx, r)
	<-host.entered
	cancel()
	if err := wait(t, done); plugin.KindOf(err) != plugin.KindTimeout || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %s by the context", err, plugin.KindTimeout)
	}
	if got := calls(t, r); got != 1 {
		t.Errorf("call %d, want 1: the instance is another", got)
	}
}

func TestRunner_idle(t *testing.T) {
	t.Parallel()
	t.Run("released after a while", func(t *testing.T) {
		t.Parallel()
		e, l := newEngine(t)
		r := load(t, e, "modes", func(req *plugin.LoadRequest) { req.Limits.IdleTimeout = time.Millisecond })
		eventually(t, "the instance is told to shut down", func() bool { return l.Count("shutting down") == 1 })
		if got := calls(t, r); got != 1 {
			t.Errorf("call %d, want 1", got)
		}
		eventually(t, "the second one too", func() bool { return l.Count("shutting down") == 2 })
	})
	t.Run("never kept", func(t *testing.T) {
		t.Parallel()
		e, l := newEngine(t)
		r := load(t, e, "modes", func(req *plugin.LoadRequest) { req.Limits.IdleTimeout = 0 })
		for range 3 {
			if got := calls(t, r); got != 1 {
				t.Errorf("call %d, want 1", got)
			}
		}
		if got := l.Count("shutting down"); got != 4 {
			t.Errorf("%d instances were told to shut down, want 4: that of the load and one for each call", got)
		}
	})
}

// TestRunner_shutdown verifies that k1s_shutdown is called for every healthy instance, and for no other.
func TestRunner_shutdown(t *testing.T) {
	t.Parallel()
	e, l := newEngine(t)
	r := load(t, e, "modes")
	if _, err := mode(t.Context(), r, 'e'); plugin.KindOf(err) != plugin.KindTrap {
		t.Fatal(err)
	}
	if got := l.Count("shutting down"); got != 0 {
		t.Errorf("told %d times after a trap, want 0", got)
	}
	calls(t, r)
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := l.Count("shutting down"); got != 1 {
		t.Errorf("told %d times in all, want 1", got)
	}
}

// TestRunner_shutdown_loop verifies that a guest whose k1s_shutdown does not return is stopped.
func TestRunner_shutdown_loop(t *testing.T) {
	t.Parallel()
	e, l := newEngine(t)
	r := load(t, e, "shutdown_loop")
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := l.Count("guest k1s_shutdown: Timeout"); got != 1 {
		t.Errorf("told %d times, want 1", got)
	}
}

// TestRunner_Call_accept verifies that the caller can report a violation in the reply that the engine cannot detect.
func TestRunner_Call_accept(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	r := load(t, e, "modes")
	calls(t, r)
	var seen string
	call := plugin.Call{Export: abi.ExportReconcile, Input: []byte("asomething"), Accept: func(reply []byte) error {
		seen = string(reply)
		return errors.New("want something else")
	}}
	reply, err := r.Call(t.Context(), call)
	if plugin.KindOf(err) != plugin.KindViolation || err.Error() != "guest reconcile: Violation: reply: want something else" || reply != nil {
		t.Errorf("got %q and %v", reply, err)
	}
	if seen != "something" {
		t.Errorf("the reply shown is %q", seen)
	}
	if got := calls(t, r); got != 1 {
		t.Errorf("call %d, want 1: the instance is another", got)
	}
}

// TestRunner_Call_noExport verifies that a call of an export that does not exist returns an error and has no other
// effect.
func TestRunner_Call_noExport(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	r := load(t, e, "modes")
	if _, err := r.Call(t.Context(), plugin.Call{Export: "finalize"}); plugin.KindOf(err) != plugin.KindViolation {
		t.Errorf("got %v, want %s", err, plugin.KindViolation)
	}
}
