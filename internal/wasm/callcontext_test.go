// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"
)

type someKey struct{}

func TestCallContext_Err(t *testing.T) {
	t.Parallel()
	background := context.Background()
	canceled, cancel := context.WithCancel(background)
	cancel()
	for name, tc := range map[string]struct {
		parent, closed context.Context
		limit          time.Duration
		ended          bool
		want           error
	}{
		"running":          {background, background, time.Hour, false, nil},
		"out of time":      {background, background, 0, false, context.DeadlineExceeded},
		"caller gave up":   {canceled, background, time.Hour, false, context.Canceled},
		"revision closed":  {background, canceled, time.Hour, false, context.Canceled},
		"ended":            {background, background, time.Hour, true, context.Canceled},
		"without a closed": {background, nil, time.Hour, false, nil},
	} {
		for _, waited := range []bool{false, true} { // whether Done was called before
			c := newCallContext(tc.parent, tc.closed, new(instance), limit{tc.limit, errTooLong})
			if waited {
				c.Done()
			}
			if tc.ended {
				c.end()
			}
			if tc.want != nil {
				<-c.Done() // is closed although nothing else waits
			}
			if got := c.Err(); !errors.Is(got, tc.want) {
				t.Errorf("%s, waited %v: got %v, want %v", name, waited, got, tc.want)
			}
			c.end()
		}
	}
}

// TestCallContext_derived verifies that a derived context ends with the call context and needs no goroutine.
func TestCallContext_derived(t *testing.T) {
	before := runtime.NumGoroutine()
	parent := context.WithValue(context.Background(), someKey{}, "value")
	in := &instance{}
	c := newCallContext(parent, context.Background(), in, limit{time.Hour, errTooLong})
	derived, cancel := context.WithCancel(context.WithValue(c, instanceKey{}, c.Value(instanceKey{})))
	defer cancel()
	if derived.Value(someKey{}) != "value" || instanceFrom(c) != in {
		t.Error("values are lost")
	}
	if got := runtime.NumGoroutine(); got > before {
		t.Errorf("%d goroutines more", got-before)
	}
	if deadline, ok := derived.Deadline(); !ok || time.Until(deadline) < time.Minute {
		t.Errorf("deadline %v, %v", deadline, ok)
	}
	c.end()
	<-derived.Done()
}

// TestCallContext_Deadline verifies that the earlier of the caller's deadline and the call's own applies.
func TestCallContext_Deadline(t *testing.T) {
	t.Parallel()
	parent, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for most, want := range map[time.Duration]time.Duration{time.Second: time.Second, time.Hour: time.Minute} {
		c := newCallContext(parent, nil, new(instance), limit{most, errTooLong})
		deadline, _ := c.Deadline()
		if got := deadline.Sub(c.start); got > want {
			t.Errorf("limit %v: the call may take %v, want %v at most", most, got, want)
		}
		c.end()
	}
}
