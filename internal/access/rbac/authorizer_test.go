// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	authorizationv1client "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/k1s-io/k1s/internal/testenv"
)

const reviewPath = "POST /apis/authorization.k8s.io/v1/subjectaccessreviews"

// authorizerTest is an Authorizer and the identity that it authorizes.
type authorizerTest struct {
	*testCluster
	t  *testing.T
	id Identity
}

func newAuthorizerTest(t *testing.T) authorizerTest {
	w := newTestCluster(t)
	return authorizerTest{testCluster: w, t: t, id: Identity{Namespace: w.namespace, Plugin: "tester", ServiceAccount: account}}
}

func (a authorizerTest) action(name string) Action {
	return Action{Verb: "get", Group: items.Group, Version: items.Version, Resource: "items", Namespace: a.namespace, ObjectName: name, Namespaced: true}
}

// want authorizes an action, and checks the decision and the number of reviews.
func (a authorizerTest) want(what string, action Action, allowed bool, reviews int) {
	a.t.Helper()
	before := a.requests.Count(reviewPath)
	d, err := a.authorizer.Authorize(a.t.Context(), a.id, action)
	if err != nil || d.Allowed != allowed {
		a.t.Errorf("%s: got %+v, %v; want allowed %t", what, d, err, allowed)
	}
	if got := a.requests.Count(reviewPath) - before; got != reviews {
		a.t.Errorf("%s: %d reviews, want %d", what, got, reviews)
	}
}

func TestAuthorizer_allowedIsBelieved(t *testing.T) {
	t.Parallel()
	a := newAuthorizerTest(t)
	a.Grant(t, a.namespace, "get", items.Group, "items")
	a.want("first", a.action(""), true, 1)
	a.Revoke(t, "get", items.Group, "items")
	a.clock.Step(allowUnwatched)
	a.want("to the end of its time", a.action(""), true, 0)
	a.clock.Step(time.Millisecond)
	a.want("after its time", a.action(""), false, 1)
}

func TestAuthorizer_deniedIsBelievedShorter(t *testing.T) {
	t.Parallel()
	a := newAuthorizerTest(t)
	a.want("first", a.action(""), false, 1)
	a.Grant(t, a.namespace, "get", items.Group, "items")
	a.clock.Step(denyUnwatched)
	a.want("to the end of its time", a.action(""), false, 0)
	a.clock.Step(time.Millisecond)
	a.want("after its time", a.action(""), true, 1)
}

// TestAuthorizer_withoutNameFirst usually needs one review for all objects of a namespace.
func TestAuthorizer_withoutNameFirst(t *testing.T) {
	t.Parallel()
	a := newAuthorizerTest(t)
	a.Grant(t, a.namespace, "get", items.Group, "items")
	a.want("first name", a.action("one"), true, 1)
	a.want("second name", a.action("two"), true, 0)
	a.want("no name", a.action(""), true, 0)
}

func TestAuthorizer_byName(t *testing.T) {
	t.Parallel()
	a := newAuthorizerTest(t)
	a.GrantName(t, a.namespace, "get", items.Group, "items", "one")
	a.want("in general, then by name", a.action("one"), true, 2)
	a.want("both are remembered", a.action("one"), true, 0)
	a.want("another name", a.action("two"), false, 1)
	a.want("in general", a.action(""), false, 0)
}

// TestAuthorizer_different checks that a decision is only valid for exactly its action.
func TestAuthorizer_different(t *testing.T) {
	t.Parallel()
	a := newAuthorizerTest(t)
	a.Grant(t, a.namespace, "get", items.Group, "items")
	a.want("the right that is there", a.action(""), true, 1)
	for what, change := range map[string]func(*Action){
		"another verb":      func(x *Action) { x.Verb = "delete" },
		"another group":     func(x *Action) { x.Group = "other.example.com" },
		"another resource":  func(x *Action) { x.Resource = "categories" },
		"a subresource":     func(x *Action) { x.Subresource = "status" },
		"another namespace": func(x *Action) { x.Namespace = "default" },
		"all namespaces":    func(x *Action) { x.Namespace = "" },
	} {
		action := a.action("")
		change(&action)
		a.want(what, action, false, 1)
	}
	other := a
	other.id.ServiceAccount = "default"
	other.want("another account", a.action(""), false, 1)
	other = a
	other.id.Plugin = "another"
	other.want("another plugin with that account", a.action(""), true, 0)
}

func TestAuthorizer_namesThatLookAlike(t *testing.T) {
	t.Parallel()
	a := newAuthorizerTest(t)
	a.GrantName(t, a.namespace, "get", items.Group, "items", `x"|"y`)
	a.want("the name", a.action(`x"|"y`), true, 2)
	alike := a.action("y")
	alike.Namespace += `"|"x`
	a.want("a namespace and a name that look like it", alike, false, 2)
}

func TestAuthorizer_errorIsNotBelieved(t *testing.T) {
	t.Parallel()
	a := newAuthorizerTest(t)
	a.Grant(t, a.namespace, "get", items.Group, "items")
	broken := errors.New("no network")
	a.requests.Intercept(func(*http.Request) error { return broken })
	if _, err := a.authorizer.Authorize(t.Context(), a.id, a.action("one")); !errors.Is(err, broken) || !strings.Contains(err.Error(), "get items") {
		t.Errorf("got %v, want the network's error and what was asked", err)
	}
	a.requests.Intercept(nil)
	a.want("at once again", a.action("one"), true, 1)
}

// TestAuthorizer_together makes one review for many callers, one of which gives up.
func TestAuthorizer_together(t *testing.T) {
	t.Parallel()
	a := newAuthorizerTest(t)
	a.Grant(t, a.namespace, "get", items.Group, "items")
	asked, answer := make(chan struct{}, 100), make(chan struct{})
	a.requests.Intercept(func(*http.Request) error {
		asked <- struct{}{}
		<-answer
		return nil
	})
	// The first caller starts the review, and gives up while the review is in progress.
	ctx, giveUp := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		_, err := a.authorizer.Authorize(ctx, a.id, a.action(""))
		first <- err
	}()
	<-asked
	giveUp()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("the one that gave up: got %v", err)
	}
	var callers sync.WaitGroup
	for range 20 {
		callers.Go(func() {
			if d, err := a.authorizer.Authorize(t.Context(), a.id, a.action("")); err != nil || !d.Allowed {
				t.Errorf("got %+v, %v", d, err)
			}
		})
	}
	testenv.Consistently(t, "one review", 300*time.Millisecond, func(context.Context) error {
		if len(asked) > 0 {
			return errors.New("a second review was made")
		}
		return nil
	})
	close(answer)
	callers.Wait()
	if n := a.requests.Count(reviewPath); n != 1 {
		t.Errorf("%d reviews, want 1", n)
	}
}

// TestAuthorizer_asOperator makes no reviews.
func TestAuthorizer_asOperator(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.requests.Reset()
	id := Identity{Namespace: w.namespace, Plugin: "tester", Operator: "operator"}
	a := Action{Verb: "delete", Version: "v1", Resource: "secrets", Namespaced: true}
	for _, ask := range []func() (Decision, error){
		func() (Decision, error) { return w.authorizer.Authorize(t.Context(), id, a) },
		func() (Decision, error) { return w.authorizer.Refresh(t.Context(), id, a) },
	} {
		if d, err := ask(); err != nil || !d.Allowed {
			t.Errorf("got %+v, %v", d, err)
		}
	}
	w.requests.None(t)
}

// TestAuthorizer_self checks the permissions of the operator: here the administrator, and a user without permissions.
func TestAuthorizer_self(t *testing.T) {
	t.Parallel()
	a := newAuthorizerTest(t)
	if d, err := a.authorizer.Self(t.Context(), a.action("")); err != nil || !d.Allowed {
		t.Errorf("administrator: got %+v, %v", d, err)
	}
	config := rest.CopyConfig(a.Config)
	config.Impersonate.UserName = "nobody"
	reviews, err := authorizationv1client.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	nobody := NewAuthorizer(reviews, a.clock)
	if d, err := nobody.Self(t.Context(), a.action("")); err != nil || d.Allowed {
		t.Errorf("nobody: got %+v, %v", d, err)
	}
	if _, err := nobody.Authorize(t.Context(), a.id, a.action("")); err == nil {
		t.Error("an operator that may not ask got an answer")
	}
}

func BenchmarkAuthorizer_remembered(b *testing.B) {
	clk := clock.RealClock{}
	a := NewAuthorizer(nil, clk)
	id := Identity{Namespace: "shop", Plugin: "pricing", ServiceAccount: "robot"}
	action := Action{Verb: "get", Group: items.Group, Version: items.Version, Resource: "items", Namespace: "shop"}
	for i := range 1000 {
		a.Drop(Change{Subject{"other", strconv.Itoa(i)}, ""})
	}
	a.cache.Add(ask(id, action), remembered{decision: Decision{Allowed: true}, asked: clk.Now()}, time.Hour)
	a.watched.Store(true)
	b.ReportAllocs()
	for b.Loop() {
		if d, err := a.Authorize(b.Context(), id, action); err != nil || !d.Allowed {
			b.Fatal(d, err)
		}
	}
}
