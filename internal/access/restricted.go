// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"golang.org/x/time/rate"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/k1s-io/k1s/internal/access/ownwrite"
	"github.com/k1s-io/k1s/internal/plugin"
)

// Cache is the shared informer cache: what RestrictedClient reads of watched kinds.
type Cache interface {
	// Watched reports whether objects of a kind are in the cache, as the kind is served now.
	Watched(kind *meta.RESTMapping) bool
	// Get returns an object's JSON.
	Get(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) ([]byte, error)
	// List returns a list's JSON; an empty namespace means all, an empty selector too.
	List(ctx context.Context, gvk schema.GroupVersionKind, namespace, labelSelector string) ([]byte, error)
}

// Kinds resolves how the API server serves kinds; a *kinds.Resolver.
type Kinds interface {
	// Resolve returns how a kind is served in its version. The error is a *kinds.NotServedError if it is not.
	Resolve(ctx context.Context, gvk schema.GroupVersionKind) (*meta.RESTMapping, error)
	// Changes returns a number that grows with each change of a group.
	Changes(group string) uint64
	// Invalidate has the kinds of groups resolved again.
	Invalidate(groups ...string)
}

// Options make a RestrictedClient.
type Options struct {
	Identity  Identity
	Allowlist Allowlist
	// StatusUpdate is whether the plugin has the capability status_update.
	StatusUpdate bool
	// MaxConcurrentRequests bounds the requests under way; it must be above 0.
	MaxConcurrentRequests int
	// RequestsPerSecond and Burst bound the requests over time; 0 for the first means no bound.
	RequestsPerSecond, Burst int
	// Limited hears of each request that one of these bounds refused, by its layer; it may be nil.
	Limited func(layer string)
	// Revision is the digest of the module, for records.
	Revision string
	// Redact takes secrets that the plugin was given out of its events and records; it may be nil.
	Redact *plugin.Redactor
	// Refused hears of each request that was refused, by whatever layer; it must not block, and may be nil.
	Refused func(Record)
	// Writes remembers what the plugin's writes have led to; it may be nil.
	Writes *OwnWrites
	// Watches are the kinds that the plugin itself watches; only these are read from the cache.
	Watches []schema.GroupVersionKind
}

// Factory makes RestrictedClients.
type Factory struct {
	config     *rest.Config
	kinds      Kinds
	cache      Cache
	authorizer *Authorizer
	clock      clock.PassiveClock
	// known are the kinds that were found before, which are as many as are installed.
	known sync.Map

	// Audit and Metrics get a Record of each request that changes something or was refused; either may be
	// nil. They are set before the first client is made.
	Audit   Audit
	Metrics Metrics
	// Egress bounds where HTTP requests can go. It is set before the first client is made, too.
	Egress Egress
	// Marks mark the writes of plugins for the webhooks; nil where none are served. It is set before the first client
	// is made, too.
	Marks *ownwrite.Marks
}

// NewFactory makes a Factory. The config's account needs to impersonate ServiceAccounts.
func NewFactory(config *rest.Config, kinds Kinds, cache Cache, authorizer *Authorizer, clk clock.PassiveClock) *Factory {
	return &Factory{config: config, kinds: kinds, cache: cache, authorizer: authorizer, clock: clk}
}

// RestrictedClient is the cluster as one plugin may see it.
type RestrictedClient struct {
	Options
	factory *Factory
	// asPlugin talks to the API server as the plugin's ServiceAccount.
	asPlugin rest.Interface
	slots    chan struct{}
	// rate is nil where there is no bound.
	rate    *rate.Limiter
	watches map[schema.GroupVersionKind]bool
	events  *recentEvents
	bounds  *bounds
	// outside makes HTTP requests; nil where no host is allowed.
	outside *http.Transport
	// reader is set for exports that may only read.
	reader bool
}

var _ plugin.Host = (*RestrictedClient)(nil)

// New makes a RestrictedClient.
func (f *Factory) New(o Options) (*RestrictedClient, error) {
	asPlugin, err := f.impersonate(o.Identity)
	if err != nil {
		return nil, fmt.Errorf("make a client for %s: %w", o.Identity.Username(), err)
	}
	c := &RestrictedClient{
		Options:  o,
		factory:  f,
		asPlugin: asPlugin,
		slots:    make(chan struct{}, o.MaxConcurrentRequests),
		watches:  map[schema.GroupVersionKind]bool{},
		events:   newRecentEvents(f.clock),
		bounds:   newBounds(f.clock),
	}
	if o.RequestsPerSecond > 0 {
		c.rate = rate.NewLimiter(rate.Limit(o.RequestsPerSecond), o.Burst)
	}
	if len(o.Allowlist.Hosts) > 0 {
		c.outside = f.Egress.transport()
	}
	for _, gvk := range o.Watches {
		c.watches[gvk] = true
	}
	return c, nil
}

// limited does a request that every other layer has let through, within the plugin's rate and in one of
// its slots. It does not wait for either: a plugin that asks for more than its share is told so, and the
// guest decides.
func (c *RestrictedClient) limited(do func() ([]byte, error)) ([]byte, error) {
	if c.rate != nil && !c.rate.AllowN(c.factory.clock.Now(), 1) {
		c.refused(layerRate)
		return nil, tooMany(layerRate, "security.requestsPerSecond", c.RequestsPerSecond)
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
		return do()
	default:
		c.refused(layerLimit)
		return nil, tooMany(layerLimit, "security.maxConcurrentRequests", cap(c.slots))
	}
}

func (c *RestrictedClient) refused(layer string) {
	if c.Limited != nil {
		c.Limited(layer)
	}
}

// resolved is what a guest asks for: the action, and the kind that it is about as the API server serves it.
type resolved struct {
	Action

	kind *meta.RESTMapping
}

// action works out what a request is about and asks the allowlists. The action is returned with their no
// as well.
func (c *RestrictedClient) action(ctx context.Context, verb string, gvk schema.GroupVersionKind, subresource, namespace, name string) (resolved, error) {
	mapping, err := c.lookUp(ctx, gvk)
	if err != nil {
		return resolved{}, err
	}
	a, err := c.actionOn(mapping, verb, subresource, namespace, name)
	return resolved{Action: a, kind: mapping}, err
}

func (c *RestrictedClient) actionOn(mapping *meta.RESTMapping, verb, subresource, namespace, name string) (Action, error) {
	kind := mapping.GroupVersionKind.Kind
	a := Action{
		Verb: verb, Group: mapping.Resource.Group, Version: mapping.Resource.Version, Resource: mapping.Resource.Resource,
		Subresource: subresource, Namespace: namespace, ObjectName: name,
		Namespaced: mapping.Scope.Name() == meta.RESTScopeNameNamespace,
	}
	// Names become parts of a URL: one with a slash would be another request than the one checked.
	for _, part := range []struct{ what, text string }{{"namespace", namespace}, {"name", name}} {
		if problems := content.IsPathSegmentName(part.text); len(problems) > 0 {
			return a, apierrors.NewBadRequest(fmt.Sprintf("%s %q: %s", part.what, part.text, problems[0]))
		}
	}
	if !a.Namespaced && namespace != "" {
		return a, apierrors.NewBadRequest(fmt.Sprintf("kind %q is cluster-scoped: leave the namespace out", kind))
	}
	if a.Namespaced && namespace == "" && verb != "list" {
		return a, apierrors.NewBadRequest(fmt.Sprintf("kind %q is namespaced: give a namespace", kind))
	}
	if why := c.Allowlist.Refuses(a); why != "" {
		return a, forbidden(layerAllowlist, a, "%s", why)
	}
	return a, nil
}

// needName refuses a request without a name.
func needName(name string) error {
	if name == "" {
		return apierrors.NewBadRequest("name is empty")
	}
	return nil
}
