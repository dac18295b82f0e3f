// SPDX-License-Identifier: Apache-2.0

package kinds

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
)

const (
	// SettleTime is how long after a change an API server may still give an outdated answer: discovery follows a
	// CustomResourceDefinition with a delay, and each API server of a cluster has a delay of its own.
	SettleTime = 10 * time.Second
	// unsettledFor is how long an answer is fresh that was given within SettleTime after a change.
	unsettledFor = 500 * time.Millisecond
	// settledFor is how long any other answer is fresh, in case no event reports a change.
	settledFor = 5 * time.Minute
	// requestTimeout limits one request to the API server.
	requestTimeout = 10 * time.Second
)

// Resolver resolves kinds. It is safe for concurrent use.
type Resolver struct {
	client rest.Interface
	clock  clock.PassiveClock
	flight singleflight.Group

	mu sync.RWMutex
	// number counts the changes.
	number uint64
	// all is the last change that concerned every group; changes are the last changes of single groups.
	all     change
	changes map[string]change
	// resources are by group and version, versions by group. Both contain only what is served.
	resources map[schema.GroupVersion]answer[[]*meta.RESTMapping]
	versions  map[string]answer[[]string]
}

// change is the last known change, with its time.
type change struct {
	number uint64
	at     time.Time
}

// answer is an answer of the API server, and when it was requested.
type answer[T any] struct {
	asked change
	value T
}

// NewResolver returns a Resolver that uses a connection to the API server.
func NewResolver(config *rest.Config, client *http.Client, clk clock.PassiveClock) (*Resolver, error) {
	c, err := discovery.NewDiscoveryClientForConfigAndClient(config, client)
	if err != nil {
		return nil, fmt.Errorf("make a client for discovery: %w", err)
	}
	return &Resolver{
		client: c.RESTClient(), clock: clk, changes: map[string]change{},
		resources: map[schema.GroupVersion]answer[[]*meta.RESTMapping]{}, versions: map[string]answer[[]string]{},
	}, nil
}

// Resolve returns how the API server serves a kind in its version. The error is a NotServedError if it does not.
func (r *Resolver) Resolve(ctx context.Context, gvk schema.GroupVersionKind) (*meta.RESTMapping, error) {
	resources, err := r.resourcesOf(ctx, gvk.GroupVersion())
	if err != nil {
		return nil, fmt.Errorf("resolve kind %q: %w", gvk.Kind, err)
	}
	if m := ofKind(resources, gvk.Kind); m != nil {
		return m, nil
	}
	served, err := r.Served(ctx, gvk.GroupKind())
	if err != nil {
		return nil, err
	}
	return nil, &NotServedError{GVK: gvk, Served: served}
}

// Served returns how the API server serves a kind in each version, the preferred one first, or nothing if in none.
func (r *Resolver) Served(ctx context.Context, gk schema.GroupKind) ([]*meta.RESTMapping, error) {
	versions, err := r.versionsOf(ctx, gk.Group)
	if err != nil {
		return nil, fmt.Errorf("resolve kind %q: %w", gk.Kind, err)
	}
	var served []*meta.RESTMapping
	for _, version := range versions {
		resources, err := r.resourcesOf(ctx, schema.GroupVersion{Group: gk.Group, Version: version})
		if err != nil {
			return nil, fmt.Errorf("resolve kind %q: %w", gk.Kind, err)
		}
		if m := ofKind(resources, gk.Kind); m != nil {
			served = append(served, m)
		}
	}
	return served, nil
}

// Changes returns a number that grows with each change of a group.
func (r *Resolver) Changes(group string) uint64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.last(group).number
}

// Invalidate makes the Resolver resolve the kinds of the given groups again, or of all groups if none is given.
func (r *Resolver) Invalidate(groups ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.number++
	now := change{number: r.number, at: r.clock.Now()}
	if len(groups) == 0 {
		r.all, r.changes = now, map[string]change{}
	}
	for _, group := range groups {
		r.changes[group] = now
	}
}

func ofKind(mappings []*meta.RESTMapping, kind string) *meta.RESTMapping {
	for _, m := range mappings {
		if m.GroupVersionKind.Kind == kind {
			return m
		}
	}
	return nil
}

// last returns the last change of a group. The caller holds the lock.
func (r *Resolver) last(group string) change {
	if c := r.changes[group]; c.number > r.all.number {
		return c
	}
	return r.all
}

// valid reports whether nothing has changed in a group since the API server was asked. The caller holds the lock.
func (r *Resolver) valid(group string, asked change) bool {
	return asked.number >= r.last(group).number
}

// fresh reports whether an answer can still be used. The caller holds the lock.
func (r *Resolver) fresh(group string, asked change) bool {
	last := r.last(group)
	if asked.number < last.number {
		return false
	}
	believed := settledFor
	if last.number > 0 && asked.at.Sub(last.at) < SettleTime {
		believed = unsettledFor
	}
	return r.clock.Since(asked.at) < believed
}
