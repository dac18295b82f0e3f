// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	authorizationv1client "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/utils/clock"
)

const (
	// allowFor and denyFor are how long a decision is believed while changes of rights are heard of.
	allowFor = time.Minute
	denyFor  = 10 * time.Second
	// allowUnwatched and denyUnwatched are how long it is while nothing tells of them.
	allowUnwatched = 10 * time.Second
	denyUnwatched  = 3 * time.Second
	// believeAtLeast is how long a decision is believed that was made right after a change.
	believeAtLeast = 100 * time.Millisecond
	// maxDecisions bounds the cache; one takes about 300 bytes.
	maxDecisions = 10_000
	// reviewTimeout bounds one SubjectAccessReview, which several callers may wait for.
	reviewTimeout = 10 * time.Second
)

// Decision is RBAC's answer.
type Decision struct {
	Allowed bool
	// Reason is the API server's own, often empty.
	Reason string
}

// Authorizer asks the API server what an identity may do, and remembers the answer until the rights
// change or its time is over.
type Authorizer struct {
	reviews authorizationv1client.AuthorizationV1Interface
	clock   clock.PassiveClock
	cache   *cache.LRUExpireCache
	flights singleflight.Group
	changes *ledger
	// watched is whether changes of rights are heard of.
	watched atomic.Bool
}

// remembered is a decision in the cache.
type remembered struct {
	decision Decision
	// changed is the last change before the question: after another one, the decision does not count.
	changed mark
	asked   time.Time
}

// NewAuthorizer makes an Authorizer. The client's account needs to create SubjectAccessReviews.
func NewAuthorizer(reviews authorizationv1client.AuthorizationV1Interface, clk clock.PassiveClock) *Authorizer {
	return &Authorizer{
		reviews: reviews, clock: clk, cache: cache.NewLRUExpireCacheWithClock(maxDecisions, clk), changes: newLedger(clk),
	}
}

// Drop forgets the decisions that changes can matter to, those of reviews under way too.
func (a *Authorizer) Drop(changes ...Change) {
	if len(changes) > 0 {
		a.changes.note(changes)
	}
}

// Watch reports whether Drop is told of every change from now on. When that begins, what was decided
// before does not count any more.
func (a *Authorizer) Watch(watched bool) {
	if watched {
		a.Drop(Change{})
	}
	a.watched.Store(watched)
}

// Watched reports whether changes of rights are heard of.
func (a *Authorizer) Watched() bool { return a.watched.Load() }

// Authorize reports whether an identity may do something. An error means that there is no answer.
func (a *Authorizer) Authorize(ctx context.Context, id Identity, action Action) (Decision, error) {
	return a.authorize(ctx, id, action, always)
}

// always lets every question through.
func always() bool { return true }

// authorize is Authorize, except that the API server is asked only if it may be; the error is errReviews otherwise.
func (a *Authorizer) authorize(ctx context.Context, id Identity, action Action, may func() bool) (Decision, error) {
	if id.Operator != "" {
		return Decision{Allowed: true, Reason: "RBAC is off for this plugin"}, nil
	}
	// Who may do it to every name may do it to this one: most answers are found without the name,
	// and one review serves all objects of a namespace.
	if action.ObjectName != "" {
		general := action
		general.ObjectName = ""
		if d, err := a.review(ctx, id, general, may); err != nil || d.Allowed {
			return d, err
		}
	}
	return a.review(ctx, id, action, may)
}

// Refresh asks anew, and remembers the answer for Authorize. It is for decisions that are rare and last.
func (a *Authorizer) Refresh(ctx context.Context, id Identity, action Action) (Decision, error) {
	if id.Operator != "" {
		return a.Authorize(ctx, id, action)
	}
	a.cache.Remove(ask(id, action))
	return a.review(ctx, id, action, always)
}

// question is what decisions are remembered by. It leaves the plugin's name out, which does not matter to
// RBAC: plugins that share an account share answers.
type question struct {
	namespace, account string
	action             Action
}

func ask(id Identity, action Action) question {
	action.Namespaced = false // which the API server is not told
	return question{namespace: id.Namespace, account: id.ServiceAccount, action: action}
}

// flight names a question that is asked after a change. The parts are quoted, so that no name can look
// like two.
func (q question) flight(changed mark) string {
	a := q.action
	return fmt.Sprintf("%d|%q|%q|%q|%q|%q|%q|%q|%q|%q", changed.number, q.namespace, q.account,
		a.Verb, a.Group, a.Version, a.Resource, a.Subresource, a.Namespace, a.ObjectName)
}

func (a *Authorizer) review(ctx context.Context, id Identity, action Action, may func() bool) (Decision, error) {
	key := ask(id, action)
	changed := a.changes.last(id, action.Namespace)
	if d, ok := a.recall(key, changed); ok {
		return d, nil
	}
	if !may() {
		return Decision{}, errReviews
	}
	// A review that began before the last change is not joined: its answer may be the old one.
	flight := a.flights.DoChan(key.flight(changed), func() (any, error) {
		// The caller that happened to be first must not fail the others by giving up.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reviewTimeout)
		defer cancel()
		asked := a.clock.Now()
		d, err := a.send(ctx, id, action)
		if err == nil && a.changes.last(id, action.Namespace) == changed {
			a.cache.Add(key, remembered{d, changed, asked}, a.believed(d, changed, asked))
		}
		return d, err
	})
	select {
	case result := <-flight:
		if result.Err != nil {
			return Decision{}, result.Err
		}
		return result.Val.(Decision), nil
	case <-ctx.Done():
		return Decision{}, ctx.Err()
	}
}

// recall returns a decision that still counts.
func (a *Authorizer) recall(key question, changed mark) (Decision, bool) {
	entry, ok := a.cache.Get(key)
	if !ok {
		return Decision{}, false
	}
	r := entry.(remembered)
	// Its time was set when it was made, and changes may not be heard of any more since.
	if r.changed != changed || a.clock.Since(r.asked) > a.believed(r.decision, changed, r.asked) {
		return Decision{}, false
	}
	return r.decision, true
}

// believed is how long a decision counts that was asked for after a change. The API server itself hears
// of a change with a delay, which nobody knows, so that the answer to a question right after it may be
// the old one. It is therefore believed for as long as the change was old: what a server said that lags
// behind by some time counts no longer than twice that time, and the questions get ever rarer.
func (a *Authorizer) believed(d Decision, changed mark, asked time.Time) time.Duration {
	longest := denyFor
	switch watched := a.watched.Load(); {
	case d.Allowed && watched:
		longest = allowFor
	case d.Allowed:
		longest = allowUnwatched
	case !watched:
		longest = denyUnwatched
	}
	if changed.number == 0 {
		return longest
	}
	return min(longest, max(believeAtLeast, asked.Sub(changed.at)))
}

func (a *Authorizer) send(ctx context.Context, id Identity, action Action) (Decision, error) {
	review := &authorizationv1.SubjectAccessReview{Spec: id.subject(action.attributes())}
	review, err := a.reviews.SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return Decision{}, fmt.Errorf("review whether %s may %s: %w", id.Username(), action, err)
	}
	return Decision{Allowed: review.Status.Allowed, Reason: review.Status.Reason}, nil
}

// Self reports whether the operator itself may do something.
func (a *Authorizer) Self(ctx context.Context, action Action) (Decision, error) {
	attributes := action.attributes()
	review := &authorizationv1.SelfSubjectAccessReview{
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &attributes},
	}
	review, err := a.reviews.SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return Decision{}, fmt.Errorf("review whether the operator may %s: %w", action, err)
	}
	return Decision{Allowed: review.Status.Allowed, Reason: review.Status.Reason}, nil
}

func (a Action) attributes() authorizationv1.ResourceAttributes {
	return authorizationv1.ResourceAttributes{
		Verb: a.Verb, Group: a.Group, Version: a.Version, Resource: a.Resource,
		Subresource: a.Subresource, Namespace: a.Namespace, Name: a.ObjectName,
	}
}
