// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/k1s-io/k1s/internal/access/audit"
	"github.com/k1s-io/k1s/internal/access/ownwrite"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/plugin"
)

// Cache is the shared informer cache, from which RestrictedClient reads objects of watched kinds.
type Cache interface {
	// Watched reports whether objects of a kind are in the cache, in the way in which the kind is served now.
	Watched(kind *meta.RESTMapping) bool
	// Get returns the JSON of an object.
	Get(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) ([]byte, error)
	// List returns the JSON of a list. An empty namespace means all namespaces, and an empty selector all objects.
	List(ctx context.Context, gvk schema.GroupVersionKind, namespace, labelSelector string) ([]byte, error)
}

// Kinds resolves how the API server serves kinds. It is implemented by *kinds.Resolver.
type Kinds interface {
	// Resolve returns how a kind is served in its version. The error is a *kinds.NotServedError if the kind is not
	// served.
	Resolve(ctx context.Context, gvk schema.GroupVersionKind) (*meta.RESTMapping, error)
	// Changes returns a number that increases with each change of a group.
	Changes(group string) uint64
	// Invalidate makes Resolve look up the kinds of the groups again.
	Invalidate(groups ...string)
}

// Options are the options of a RestrictedClient.
type Options struct {
	Identity  rbac.Identity
	Allowlist Allowlist
	// StatusUpdate is whether the plugin has the capability status_update.
	StatusUpdate bool
	// MaxConcurrentRequests limits the requests in progress; it must be above 0.
	MaxConcurrentRequests int
	// RequestsPerSecond and Burst limit the rate of requests. If RequestsPerSecond is 0, there is no limit.
	RequestsPerSecond, Burst int
	// Limited is called with the layer of each request that one of these limits denied; it may be nil.
	Limited func(layer string)
	// Revision is the digest of the module, for Records.
	Revision string
	// Redact removes the secrets that the plugin was given from its Events and Records; it may be nil.
	Redact *plugin.Redactor
	// Denied is called for each request that was denied, by any layer. It must not block, and may be nil.
	Denied func(audit.Record)
	// Writes remembers the results of the plugin's writes; it may be nil.
	Writes *OwnWrites
	// Watches are the kinds that the plugin itself watches. Only these are read from the cache.
	Watches []schema.GroupVersionKind
}

// Factory creates RestrictedClients.
type Factory struct {
	config     *rest.Config
	kinds      Kinds
	cache      Cache
	authorizer *rbac.Authorizer
	clock      clock.PassiveClock
	// known has the kinds that were found by an earlier lookup. There are at most as many as are installed.
	known sync.Map

	// Audit and Metrics receive a Record of each request that changes something or was denied. Either may be nil. They
	// are set before the first client is created.
	Audit   audit.Sink
	Metrics audit.Metrics
	// Egress restricts where HTTP requests can go. It is set before the first client is created.
	Egress Egress
	// Marks marks the writes of plugins for the webhooks. It is nil if no webhooks are served. It is set before the
	// first client is created.
	Marks *ownwrite.Marks
}

// NewFactory returns a Factory. The config needs permission to impersonate ServiceAccounts.
func NewFactory(config *rest.Config, kinds Kinds, cache Cache, authorizer *rbac.Authorizer, clk clock.PassiveClock) *Factory {
	return &Factory{config: config, kinds: kinds, cache: cache, authorizer: authorizer, clock: clk}
}

// RestrictedClient is the access of one plugin to the cluster and to HTTP servers.
type RestrictedClient struct {
	Options
	factory *Factory
	// asPlugin is a client of the API server that acts as the plugin's ServiceAccount.
	asPlugin rest.Interface
	slots    chan struct{}
	// rate is nil if there is no limit.
	rate    *rate.Limiter
	watches map[schema.GroupVersionKind]bool
	events  *recentEvents
	bounds  *bounds
	// outside makes HTTP requests; nil if no host is allowed.
	outside *http.Transport
	// reader is true for exports that are only allowed to read.
	reader bool
}

var _ plugin.Host = (*RestrictedClient)(nil)

// New returns a RestrictedClient.
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

// limited makes a request that all other layers have allowed, within the plugin's rate limit and its limit of
// concurrent requests. It does not wait for either: a plugin above a limit gets an error, and the guest decides what to
// do.
func (c *RestrictedClient) limited(do func() ([]byte, error)) ([]byte, error) {
	if c.rate != nil && !c.rate.AllowN(c.factory.clock.Now(), 1) {
		c.denied(audit.LayerRate)
		return nil, tooMany(audit.LayerRate, "security.requestsPerSecond", c.RequestsPerSecond)
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
		return do()
	default:
		c.denied(audit.LayerLimit)
		return nil, tooMany(audit.LayerLimit, "security.maxConcurrentRequests", cap(c.slots))
	}
}

func (c *RestrictedClient) denied(layer string) {
	if c.Limited != nil {
		c.Limited(layer)
	}
}

// resolved is a request of a guest: the action, and its kind as the API server serves it.
type resolved struct {
	rbac.Action

	kind *meta.RESTMapping
}

// action returns the action of a request, and checks it against the allowlists. If they deny it, the action is returned
// with the error.
func (c *RestrictedClient) action(ctx context.Context, verb string, gvk schema.GroupVersionKind, subresource, namespace, name string) (resolved, error) {
	mapping, err := c.lookUp(ctx, gvk)
	if err != nil {
		return resolved{}, err
	}
	a, err := c.actionOn(mapping, verb, subresource, namespace, name)
	return resolved{Action: a, kind: mapping}, err
}

func (c *RestrictedClient) actionOn(mapping *meta.RESTMapping, verb, subresource, namespace, name string) (rbac.Action, error) {
	kind := mapping.GroupVersionKind.Kind
	a := rbac.Action{
		Verb: verb, Group: mapping.Resource.Group, Version: mapping.Resource.Version, Resource: mapping.Resource.Resource,
		Subresource: subresource, Namespace: namespace, ObjectName: name,
		Namespaced: mapping.Scope.Name() == meta.RESTScopeNameNamespace,
	}
	// Names become parts of the URL path: a name with a slash would make a request other than the one checked.
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
	if why := c.Allowlist.Denies(a); why != "" {
		return a, forbidden(audit.LayerAllowlist, a, "%s", why)
	}
	return a, nil
}

// needName rejects a request without a name.
func needName(name string) error {
	if name == "" {
		return apierrors.NewBadRequest("name is empty")
	}
	return nil
}

// Secret returns the data of a Secret in a plugin's namespace. It is read as the plugin's ServiceAccount, because the
// operator itself has no permission to read it. Errors are the API server's. The error is also Forbidden if the
// operator has no permission to impersonate the ServiceAccount.
func (f *Factory) Secret(ctx context.Context, id rbac.Identity, name string) (map[string][]byte, error) {
	if problems := content.IsPathSegmentName(name); len(problems) > 0 {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("name %q: %s", name, problems[0]))
	}
	asPlugin, err := f.impersonate(id)
	if err != nil {
		return nil, fmt.Errorf("make a client for %s: %w", id.Username(), err)
	}
	a := rbac.Action{Verb: "get", Version: "v1", Resource: "secrets", Namespace: id.Namespace, ObjectName: name}
	body, err := read(ctx, asPlugin.Get().AbsPath(a.Path()...))
	if err != nil {
		return nil, err
	}
	var secret corev1.Secret
	if err := json.Unmarshal(body, &secret); err != nil {
		return nil, errors.New("the API server's answer is not a Secret") // decoding errors quote the Secret
	}
	return secret.Data, nil
}
