// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/k1s-io/k1s/internal/plugin"
)

// Causes of contexts whose call exceeded its timeout.
var (
	errTooLong           = errors.New("the call ran past spec.runtime.timeoutSeconds")
	errInitializeTooLong = errors.New("it ran past the operator's flag --initialize-timeout")
)

// limit is the timeout of a call, and the cause that is reported when the call exceeds it.
type limit struct {
	time  time.Duration
	cause error
}

// callContext is the context of one call into a guest. Most calls end before anything needs a channel or a timer, so it
// creates them on demand. The yields of a metered guest call Err, which compares the clock with the deadline.
type callContext struct {
	context.Context //nolint:containedctx // the caller's, which this one extends
	in              *instance
	start, deadline time.Time
	// tooLong is the cause after the deadline has passed.
	tooLong error
	// closed is done when the revision is closed; nil for calls outside a pool.
	closed context.Context //nolint:containedctx // as above

	mu     sync.Mutex
	waits  context.Context //nolint:containedctx // made by Done
	cancel context.CancelFunc
	ended  error
}

// newCallContext starts a call with the given timeout.
func newCallContext(parent, closed context.Context, in *instance, l limit) *callContext {
	start := time.Now()
	c := &callContext{Context: parent, in: in, start: start, deadline: start.Add(l.time), tooLong: l.cause, closed: closed}
	if d, ok := parent.Deadline(); ok && d.Before(c.deadline) {
		c.deadline = d
	}
	return c
}

// end ends the call and cancels the context, so that nothing that still holds the context waits for it.
func (c *callContext) end() {
	c.in.turn.giveBack()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = context.Canceled
	if c.cancel != nil {
		c.cancel()
	}
}

// Deadline implements context.Context.
func (c *callContext) Deadline() (time.Time, bool) { return c.deadline, true }

// Done implements context.Context.
func (c *callContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wait().Done()
}

// wait returns a context that ends when this one ends. The caller holds the lock.
func (c *callContext) wait() context.Context {
	if c.waits != nil {
		return c.waits
	}
	ctx, cancel := context.WithDeadlineCause(c.Context, c.deadline, c.tooLong)
	stop := func() bool { return true }
	if c.closed != nil {
		stop = context.AfterFunc(c.closed, cancel)
	}
	c.waits, c.cancel = ctx, func() { stop(); cancel() }
	if c.ended != nil {
		c.cancel()
	}
	return c.waits
}

// Err implements context.Context.
func (c *callContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.waits != nil && c.waits.Err() != nil:
		return c.waits.Err()
	case c.ended != nil:
		return c.ended
	case c.Context.Err() != nil:
		return c.Context.Err()
	case c.closed != nil && c.closed.Err() != nil:
		return context.Canceled
	case !time.Now().Before(c.deadline):
		return context.DeadlineExceeded
	}
	return nil
}

// Value implements context.Context. After wait has created a context, that context answers: the context package uses a
// value to find the cancelable parent of a derived context.
func (c *callContext) Value(key any) any {
	if _, ok := key.(instanceKey); ok {
		return c.in
	}
	c.mu.Lock()
	waits := c.waits
	c.mu.Unlock()
	if waits != nil {
		return waits.Value(key)
	}
	return c.Context.Value(key)
}

// timeout returns the error of a call that was stopped because its context ended.
func timeout(ctx context.Context) error {
	cause := ctx.Err()
	switch {
	case errors.Is(cause, context.DeadlineExceeded):
		cause = errTooLong
		if in := instanceFrom(ctx); in != nil && in.running != nil {
			cause = in.running.tooLong
		}
	case cause == nil:
		cause = context.Canceled
	}
	return &plugin.CallError{Kind: plugin.KindTimeout, Err: cause}
}

// instanceKey is the key of the instance in the context that wazero passes to host functions.
type instanceKey struct{}

func instanceFrom(ctx context.Context) *instance {
	in, _ := ctx.Value(instanceKey{}).(*instance)
	return in
}
