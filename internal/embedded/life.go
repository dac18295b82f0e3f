// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"context"
	"errors"
	"fmt"
)

// life is the time between a Start and its Stop. One goroutine owns it and its runs. It has more than one run if
// SetConfig restarts the controller.
type life struct {
	cancel   context.CancelCauseFunc
	restarts chan chan<- error // requests a new run; the answer is sent when the run has synced
	done     chan struct{}     // closed at the very end
	err      error             // the errors of cleaning up; read after done
}

// Start starts the controller; see Controller.
func (b *base) Start(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("start %q: %w", b.options.Name, err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	l := &life{cancel: cancel, restarts: make(chan chan<- error), done: make(chan struct{})}
	b.mu.Lock()
	if b.life != nil {
		b.mu.Unlock()
		cancel(nil)
		return fmt.Errorf("start %q: %w", b.options.Name, ErrAlreadyRunning)
	}
	b.life, b.phase, b.failure = l, starting, nil
	b.mu.Unlock()

	started := make(chan error, 1)
	go b.live(ctx, l, started)
	return <-started
}

// Stop stops the controller; see Controller.
func (b *base) Stop() error {
	b.mu.Lock()
	l := b.life
	if l == nil {
		b.phase, b.failure = stopped, nil // clears the failure of a start: the controller is not wanted any more
	}
	b.mu.Unlock()
	if l == nil {
		return nil
	}
	l.cancel(ErrStopped)
	<-l.done
	return l.err
}

// SetConfig applies a configuration; see Controller.
func (b *base) SetConfig(config Config) error {
	if err := config.validate(); err != nil {
		return fmt.Errorf("configure %q: %w", b.options.Name, err)
	}
	b.mu.Lock()
	b.config = config.clone()
	l := b.life
	b.mu.Unlock()
	if l == nil {
		return nil
	}
	restarted := make(chan error, 1)
	select {
	case l.restarts <- restarted:
		return <-restarted
	case <-l.done: // stopped in the meantime: the next Start uses the new configuration
		return nil
	}
}

// live starts one run after the other until the life ends, and sends the results to those who wait for them.
func (b *base) live(ctx context.Context, l *life, started chan<- error) {
	waiting := []chan<- error{started}
	notify := func(err error) {
		for _, answer := range waiting {
			answer <- err
		}
		waiting = nil
	}
	for {
		r, err := b.begin(ctx)
		if err != nil {
			notify(b.end(ctx, l, err))
			close(l.done)
			return
		}
		restarted := false
		for synced := r.synced; !restarted; {
			select {
			case <-synced:
				synced = nil
				b.enterRunning()
				notify(nil)
			case answer := <-l.restarts:
				waiting = append(waiting, answer)
				restarted = true
			case <-r.Done():
				l.err = errors.Join(l.err, r.StopErr())
				notify(b.end(ctx, l, r.Err()))
				close(l.done)
				return
			}
		}
		b.leave(r)
		l.err = errors.Join(l.err, r.StopErr())
	}
}

// begin starts a new run with the current configuration.
func (b *base) begin(ctx context.Context) (*run, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.newRun(ctx, b.config.clone())
	if err != nil {
		return nil, err
	}
	r.Start()
	b.current = r
	return r, nil
}

// enterRunning records that the run has synced.
func (b *base) enterRunning() {
	b.meter.forgetErrors()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.phase = running
}

// leave stops a run, so that the next one can start.
func (b *base) leave(r *run) {
	b.mu.Lock()
	b.current, b.phase = nil, starting
	b.mu.Unlock()
	r.Stop()
}

// end records why the life ended and returns it: a failure, or the end of the context by Stop or by the caller of
// Start. After it, Start can be called again.
func (b *base) end(ctx context.Context, l *life, failure error) error {
	cause := context.Cause(ctx)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.life, b.current = nil, nil
	if cause != nil {
		b.phase = stopped
		return fmt.Errorf("start %q: %w", b.options.Name, cause)
	}
	l.cancel(nil)
	b.phase = failed
	b.failure = fmt.Errorf("start %q: %w", b.options.Name, failure)
	return b.failure
}
