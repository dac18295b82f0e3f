// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/singleflight"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	authorizationv1client "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/utils/clock"
)

const (
	// allowFor and denyFor are how long a decision is believed. Short, because nothing tells this
	// cache that a Role has changed.
	allowFor = 10 * time.Second
	denyFor  = 3 * time.Second
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

// Authorizer asks the API server what an identity may do, and remembers the answer for a short time.
type Authorizer struct {
	reviews authorizationv1client.AuthorizationV1Interface
	cache   *cache.LRUExpireCache
	flights singleflight.Group
}

// NewAuthorizer makes an Authorizer. The client's account needs to create SubjectAccessReviews.
func NewAuthorizer(reviews authorizationv1client.AuthorizationV1Interface, clk clock.PassiveClock) *Authorizer {
	return &Authorizer{reviews: reviews, cache: cache.NewLRUExpireCacheWithClock(maxDecisions, clk)}
}

// Authorize says whether an identity may do something. An error means that there is no answer.
func (a *Authorizer) Authorize(ctx context.Context, id Identity, action Action) (Decision, error) {
	// Who may do it to every name may do it to this one: most answers are found without the name,
	// and one review serves all objects of a namespace.
	if action.ObjectName != "" {
		general := action
		general.ObjectName = ""
		if d, err := a.review(ctx, id, general); err != nil || d.Allowed {
			return d, err
		}
	}
	return a.review(ctx, id, action)
}

// Refresh asks anew, and remembers the answer for Authorize. It is for decisions that are rare and last.
func (a *Authorizer) Refresh(ctx context.Context, id Identity, action Action) (Decision, error) {
	a.cache.Remove(cacheKey(id, action))
	return a.review(ctx, id, action)
}

// cacheKey leaves the plugin's name out, which does not matter to RBAC: plugins that share an account
// share answers. The parts are quoted, so that no name can look like two.
func cacheKey(id Identity, action Action) string {
	return fmt.Sprintf("%q|%q|%q|%q|%q|%q|%q|%q", id.Username(), action.Verb, action.Group, action.Version,
		action.Resource, action.Subresource, action.Namespace, action.ObjectName)
}

func (a *Authorizer) review(ctx context.Context, id Identity, action Action) (Decision, error) {
	key := cacheKey(id, action)
	if d, ok := a.cache.Get(key); ok {
		return d.(Decision), nil
	}
	flight := a.flights.DoChan(key, func() (any, error) {
		// The caller that happened to be first must not fail the others by giving up.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reviewTimeout)
		defer cancel()
		return a.ask(ctx, key, id, action)
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

func (a *Authorizer) ask(ctx context.Context, key string, id Identity, action Action) (Decision, error) {
	review := &authorizationv1.SubjectAccessReview{Spec: id.subject(action.attributes())}
	review, err := a.reviews.SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return Decision{}, fmt.Errorf("review whether %s may %s: %w", id.Username(), action, err)
	}
	d := Decision{Allowed: review.Status.Allowed, Reason: review.Status.Reason}
	ttl := denyFor
	if d.Allowed {
		ttl = allowFor
	}
	a.cache.Add(key, d, ttl)
	return d, nil
}

// Self says whether the operator itself may do something.
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
