// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"net/http"
	"sync"
	"testing"
	"time"
)

// TestAuthorizer_drop invalidates the decisions that a change can affect, and no others.
func TestAuthorizer_drop(t *testing.T) {
	t.Parallel()
	a := newAuthorizerTest(t)
	a.Grant(t, a.namespace, "get", items.Group, "items")
	a.want("first", a.action(""), true, 1)
	own := Subject{Namespace: a.namespace, ServiceAccount: account}
	for _, tc := range []struct {
		name    string
		change  Change
		reviews int
	}{
		{"the account, here", Change{own, a.namespace}, 1},
		{"the account, everywhere", Change{own, ""}, 1},
		{"the account, elsewhere", Change{own, "elsewhere"}, 0},
		{"another account, here", Change{Subject{a.namespace, "other"}, a.namespace}, 0},
		{"an account of that name in another namespace", Change{Subject{"elsewhere", account}, ""}, 0},
		{"all accounts of the namespace, here", Change{Subject{Namespace: a.namespace}, a.namespace}, 1},
		{"all accounts of another namespace", Change{Subject{Namespace: "elsewhere"}, ""}, 0},
		{"everybody, here", Change{Subject{}, a.namespace}, 1},
		{"everybody, elsewhere", Change{Subject{}, "elsewhere"}, 0},
		{"everything", Change{}, 1},
	} {
		a.authorizer.Drop(tc.change)
		a.want(tc.name, a.action(""), true, tc.reviews)
		a.clock.Step(time.Millisecond)
	}
}

// TestAuthorizer_rightAfterChange checks that a decision is cached for as long as the change before it was old.
func TestAuthorizer_rightAfterChange(t *testing.T) {
	t.Parallel()
	a := newAuthorizerTest(t)
	a.Grant(t, a.namespace, "get", items.Group, "items")
	a.authorizer.Watch(true) // counts as a change
	var age time.Duration
	for range 6 {
		believed := max(believeAtLeast, age)
		a.want("asked after "+age.String(), a.action(""), true, 1)
		a.clock.Step(believed)
		a.want("to the end of "+believed.String(), a.action(""), true, 0)
		a.clock.Step(time.Nanosecond)
		age += believed + time.Nanosecond
	}
	a.clock.Step(time.Hour)
	a.want("long after", a.action(""), true, 1)
	a.clock.Step(allowFor)
	a.want("to the end of its time", a.action(""), true, 0)
	a.clock.Step(time.Millisecond)
	a.want("after its time", a.action(""), true, 1)

	denied := a.action("")
	denied.Verb = "delete"
	a.want("denied", denied, false, 1)
	a.clock.Step(denyFor)
	a.want("denied, to the end of its time", denied, false, 0)
	a.clock.Step(time.Millisecond)
	a.want("denied, after its time", denied, false, 1)
}

// TestAuthorizer_watchLost checks that decisions that were cached for a minute expire earlier once changes are not
// watched.
func TestAuthorizer_watchLost(t *testing.T) {
	t.Parallel()
	a := newAuthorizerTest(t)
	a.Grant(t, a.namespace, "get", items.Group, "items")
	a.authorizer.Watch(true)
	a.clock.Step(time.Hour)
	a.want("watched", a.action(""), true, 1)
	a.clock.Step(allowUnwatched)
	a.authorizer.Watch(false)
	a.want("to the end of the shorter time", a.action(""), true, 0)
	a.clock.Step(time.Millisecond)
	a.want("after it", a.action(""), true, 1)
	a.authorizer.Watch(true)
	a.want("nobody knows what was missed", a.action(""), true, 1)
}

// TestAuthorizer_dropInFlight changes permissions while a review is in progress: its answer is not cached, and later
// callers do not get it either.
func TestAuthorizer_dropInFlight(t *testing.T) {
	t.Parallel()
	a := newAuthorizerTest(t)
	a.Grant(t, a.namespace, "get", items.Group, "items")
	asked, answer := make(chan struct{}, 10), make(chan struct{})
	a.requests.Intercept(func(*http.Request) error {
		asked <- struct{}{}
		<-answer
		return nil
	})
	var callers sync.WaitGroup
	ask := func() {
		callers.Go(func() {
			if d, err := a.authorizer.Authorize(t.Context(), a.id, a.action("")); err != nil || !d.Allowed {
				t.Errorf("got %+v, %v", d, err)
			}
		})
	}
	ask()
	<-asked
	a.authorizer.Drop(Change{Namespace: a.namespace})
	ask()
	<-asked // a review of its own
	a.authorizer.Drop(Change{Namespace: a.namespace})
	close(answer)
	callers.Wait()
	a.requests.Intercept(nil)
	a.want("neither answer is kept", a.action(""), true, 1)
	a.want("this one is", a.action(""), true, 0)
}
