// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"context"
	"errors"
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
	// allowFor and denyFor are how long a decision is cached while changes of RBAC are watched.
	allowFor = time.Minute
	denyFor  = 10 * time.Second
	// allowUnwatched and denyUnwatched are how long a decision is cached while changes of RBAC are not watched.
	allowUnwatched = 10 * time.Second
	denyUnwatched  = 3 * time.Second
	// believeAtLeast is how long a decision is cached, at least, if it was made right after a change.
	believeAtLeast = 100 * time.Millisecond
	// maxDecisions is the capacity of the cache, in decisions. One decision takes about 300 bytes.
	maxDecisions = 10_000
	// reviewTimeout is the timeout of one SubjectAccessReview, which several callers may wait for.
	reviewTimeout = 10 * time.Second
)

// Decision is the answer of RBAC.
type Decision struct {
	Allowed bool
	// Reason is the reason that the API server gives. It is often empty.
	Reason string
}

// Authorizer asks the API server what an identity is allowed to do. It caches the answer until the permissions change
// or the answer expires.
type Authorizer struct {
	reviews authorizationv1client.AuthorizationV1Interface
	clock   clock.PassiveClock
	cache   *cache.LRUExpireCache
	flights singleflight.Group
	changes *ledger
	// watched is whether changes of RBAC are watched.
	watched atomic.Bool
}

// remembered is a decision in the cache.
type remembered struct {
	decision Decision
	// changed is the last change before the review. After a later change, the decision is no longer valid.
	changed mark
	asked   time.Time
}

// NewAuthorizer returns an Authorizer. The client needs permission to create SubjectAccessReviews.
func NewAuthorizer(reviews authorizationv1client.AuthorizationV1Interface, clk clock.PassiveClock) *Authorizer {
	return &Authorizer{
		reviews: reviews, clock: clk, cache: cache.NewLRUExpireCacheWithClock(maxDecisions, clk), changes: newLedger(clk),
	}
}

// Drop invalidates the decisions that the changes can affect, including those of reviews in progress.
func (a *Authorizer) Drop(changes ...Change) {
	if len(changes) > 0 {
		a.changes.note(changes)
	}
}

// Watch sets whether Drop is called for every change from now on. When it is set to true, all earlier decisions become
// invalid.
func (a *Authorizer) Watch(watched bool) {
	if watched {
		a.Drop(Change{})
	}
	a.watched.Store(watched)
}

// Watched reports whether changes of RBAC are watched.
func (a *Authorizer) Watched() bool { return a.watched.Load() }

// Authorize returns whether RBAC allows an identity an action. An error means that there is no decision.
func (a *Authorizer) Authorize(ctx context.Context, id Identity, action Action) (Decision, error) {
	return a.AuthorizeWithin(ctx, id, action, always)
}

// always permits every review.
func always() bool { return true }

// ErrTooManyReviews means that RBAC was not asked, because of a limit of SubjectAccessReviews.
var ErrTooManyReviews = errors.New("too many reviews")

// AuthorizeWithin is Authorize within a limit of SubjectAccessReviews: it sends one only if permit returns true, and
// otherwise returns ErrTooManyReviews.
func (a *Authorizer) AuthorizeWithin(ctx context.Context, id Identity, action Action, permit func() bool) (Decision, error) {
	if id.Operator != "" {
		return Decision{Allowed: true, Reason: "RBAC is off for this plugin"}, nil
	}
	// An identity that is allowed the action on every name is allowed it on this name. Most answers are found without
	// the name, so that one review serves all objects of a namespace.
	if action.ObjectName != "" {
		general := action
		general.ObjectName = ""
		if d, err := a.review(ctx, id, general, permit); err != nil || d.Allowed {
			return d, err
		}
	}
	return a.review(ctx, id, action, permit)
}

// Refresh asks the API server again, and caches the answer for Authorize. It is for decisions that are rare and have
// lasting effects.
func (a *Authorizer) Refresh(ctx context.Context, id Identity, action Action) (Decision, error) {
	if id.Operator != "" {
		return a.Authorize(ctx, id, action)
	}
	a.cache.Remove(ask(id, action))
	return a.review(ctx, id, action, always)
}

// accessReview is the key of a decision in the cache. It omits the plugin's name, which does not matter to RBAC: plugins
// that share a ServiceAccount share decisions.
type accessReview struct {
	namespace, account string
	action             Action
}

func ask(id Identity, action Action) accessReview {
	action.Namespaced = false // not part of a SubjectAccessReview
	return accessReview{namespace: id.Namespace, account: id.ServiceAccount, action: action}
}

// flight returns the key of a review that starts after a change. The parts are quoted, so that no name can look like
// two.
func (q accessReview) flight(changed mark) string {
	a := q.action
	return fmt.Sprintf("%d|%q|%q|%q|%q|%q|%q|%q|%q|%q", changed.number, q.namespace, q.account,
		a.Verb, a.Group, a.Version, a.Resource, a.Subresource, a.Namespace, a.ObjectName)
}

func (a *Authorizer) review(ctx context.Context, id Identity, action Action, permit func() bool) (Decision, error) {
	key := ask(id, action)
	changed := a.changes.last(id, action.Namespace)
	if d, ok := a.recall(key, changed); ok {
		return d, nil
	}
	if !permit() {
		return Decision{}, ErrTooManyReviews
	}
	// A review that started before the last change is not shared: its answer may be outdated.
	flight := a.flights.DoChan(key.flight(changed), func() (any, error) {
		// If the first caller gives up, the other callers must still get the answer.
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

// recall returns a cached decision that is still valid.
func (a *Authorizer) recall(key accessReview, changed mark) (Decision, bool) {
	entry, ok := a.cache.Get(key)
	if !ok {
		return Decision{}, false
	}
	r := entry.(remembered)
	// The lifetime was set when the decision was made. Since then, the watch may have stopped, which shortens it.
	if r.changed != changed || a.clock.Since(r.asked) > a.believed(r.decision, changed, r.asked) {
		return Decision{}, false
	}
	return r.decision, true
}

// believed returns how long a decision is valid whose review started at asked, after the change changed. The API server
// itself observes a change with an unknown delay, so that a review right after a change may return the outdated answer.
// The decision is therefore valid for as long as the change was old when the review started. An answer from an API
// server that lags by some time is thus used for at most twice that time, and the reviews become less and less
// frequent.
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
	review, err := a.reviews.SubjectAccessReviews().Create(ctx, id.Review(action), metav1.CreateOptions{})
	if err != nil {
		return Decision{}, fmt.Errorf("review whether %s is allowed to %s: %w", id.Username(), action, err)
	}
	return Decision{Allowed: review.Status.Allowed, Reason: review.Status.Reason}, nil
}

// Self returns whether the operator itself is allowed an action.
func (a *Authorizer) Self(ctx context.Context, action Action) (Decision, error) {
	attributes := action.attributes()
	review := &authorizationv1.SelfSubjectAccessReview{
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &attributes},
	}
	review, err := a.reviews.SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return Decision{}, fmt.Errorf("review whether the operator is allowed to %s: %w", action, err)
	}
	return Decision{Allowed: review.Status.Allowed, Reason: review.Status.Reason}, nil
}
