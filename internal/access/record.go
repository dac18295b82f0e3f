// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"errors"
	"strings"
	"time"

	"golang.org/x/time/rate"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Decisions of a Record.
const (
	// DecisionAllowed: the API server did it, or an HTTP server answered.
	DecisionAllowed = "allowed"
	// DecisionRefused: a layer said no; nothing was done.
	DecisionRefused = "refused"
	// DecisionError: it failed for another reason.
	DecisionError = "error"
)

// layerAPIServer is the layer of what the API server forbids: RBAC for a request as the plugin's account,
// or admission.
const layerAPIServer = "apiserver"

// reasonNoAnswer is the reason where the API server gave none: whether it was done is not known.
const reasonNoAnswer = "NoAnswer"

// maxField bounds what a guest decides of a Record, in bytes; no name that exists is longer.
const maxField = 253

// Record is what is kept of one request of a guest's: of each that changes something, and, up to a limit, of HTTP
// requests and of those that were refused. There is nothing of an object in it but its name. docs/audit.md explains
// the members.
type Record struct {
	Time time.Time `json:"time"`
	// Plugin is "namespace/name" of the WasmPlugin.
	Plugin string `json:"plugin"`
	// Revision is the digest of the module.
	Revision string `json:"revision,omitempty"`
	// Account is the user name that the API server sees.
	Account string `json:"account"`

	Verb        string `json:"verb"`
	Group       string `json:"group"`
	Resource    string `json:"resource"`
	Subresource string `json:"subresource,omitempty"`
	Namespace   string `json:"namespace,omitempty"`
	Name        string `json:"name,omitempty"`
	// Host and Status are those of an HTTP request: "host:port" where it went last, and what was answered there.
	Host   string `json:"host,omitempty"`
	Status int    `json:"status,omitempty"`

	Decision string `json:"decision"`
	// Layer is what refused.
	Layer string `json:"layer,omitempty"`
	// Reason is the API's for what did not succeed.
	Reason string `json:"reason,omitempty"`
	// LatencyMicros is how long the guest waited.
	LatencyMicros int64 `json:"latencyMicros"`
	// Omitted is how many requests of the plugin have no Record, since its previous Record.
	Omitted int64 `json:"omitted,omitempty"`
}

// Audit takes Records. It is called while a guest waits, so it must not block.
type Audit interface {
	Record(r Record)
}

// Metrics count what is decided.
type Metrics interface {
	// Decided counts a Record; the layer is empty unless it was refused.
	Decided(plugin, decision, layer string)
	// Suspicious counts that a plugin was refused so often that somebody should look.
	Suspicious(plugin string)
	// AuditDropped counts Records that could not be written.
	AuditDropped(records int)
}

// NoMetrics counts nothing.
type NoMetrics struct{}

var _ Metrics = NoMetrics{}

// Decided implements Metrics.
func (NoMetrics) Decided(string, string, string) {}

// Suspicious implements Metrics.
func (NoMetrics) Suspicious(string) {}

// AuditDropped implements Metrics.
func (NoMetrics) AuditDropped(int) {}

// observation is a request under way.
type observation struct {
	client *RestrictedClient
	action Action
	began  time.Time
	// host and status are of an HTTP request.
	host   string
	status int
}

// observe begins a request. The action is what is known so far: its Resource may still be a kind.
func (c *RestrictedClient) observe(a Action) observation {
	return observation{client: c, action: a, began: c.factory.clock.Now()}
}

// about says what the request is about, once that is known: the resource of a kind that is installed.
func (o *observation) about(a Action) {
	if a.Resource != "" {
		o.action.Group, o.action.Resource = a.Group, a.Resource
	}
}

// read ends a request that changes nothing: of interest are a refusal, and a request that nobody makes by mistake, such
// as one for a name that is a path.
func (o *observation) read(err error) {
	if err != nil && (layerOf(err) != "" || apierrors.IsBadRequest(err)) {
		o.changed(err)
	}
}

// changed ends a request that was to change something.
func (o *observation) changed(err error) {
	c := o.client
	r := Record{
		Time:        o.began.UTC(),
		Plugin:      c.Identity.String(),
		Revision:    c.Revision,
		Account:     c.Identity.Username(),
		Verb:        o.action.Verb,
		Group:       c.Redact.Text(o.action.Group),
		Resource:    c.Redact.Text(o.action.Resource),
		Subresource: o.action.Subresource,
		Namespace:   c.said(o.action.Namespace),
		Name:        c.said(o.action.ObjectName),
		Host:        c.said(o.host),
		Status:      o.status,
		Decision:    DecisionAllowed,

		LatencyMicros: c.factory.clock.Since(o.began).Microseconds(),
	}
	if err != nil {
		r.Decision, r.Layer, r.Reason = DecisionError, layerOf(err), reasonOf(err)
		if r.Layer != "" {
			r.Decision = DecisionRefused
		}
	}
	c.record(r)
	if r.Decision == DecisionRefused && c.Refused != nil {
		c.Refused(r)
	}
}

// malformed ends a request that is refused before it is known what it is about.
func (c *RestrictedClient) malformed(a Action, err error) error {
	seen := c.observe(a)
	seen.changed(err)
	return err
}

// isHTTP reports whether a Record is of an HTTP request.
func (r *Record) isHTTP() bool { return r.Host != "" }

// limiter returns what limits a Record; nil if it is always made. Requests that were not allowed, and HTTP requests,
// cost a guest little. What the API server did costs a request to it, and is the audit trail. HTTP requests have a
// limiter of their own, so that a plugin that makes many has its refused requests recorded all the same.
func (b *bounds) limiter(r *Record) *rate.Limiter {
	switch {
	case r.Decision != DecisionAllowed:
		return b.lines
	case r.isHTTP():
		return b.httpLines
	default:
		return nil
	}
}

// record hands a Record over, if its limiter allows it.
func (c *RestrictedClient) record(r Record) {
	f := c.factory
	if f.Metrics != nil {
		f.Metrics.Decided(r.Plugin, r.Decision, r.Layer)
	}
	if f.Audit == nil {
		return
	}
	if l := c.bounds.limiter(&r); l != nil && !c.bounds.allow(l) {
		c.bounds.omitted.Add(1)
		return
	}
	r.Omitted = c.bounds.omitted.Swap(0)
	f.Audit.Record(r)
}

// layerOf says which layer refused, or "" if an error is no refusal.
func layerOf(err error) string {
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		return refused.layer
	case apierrors.IsForbidden(err):
		return layerAPIServer
	default:
		return ""
	}
}

// reasonOf says why a request failed, without any words: they may quote the object.
func reasonOf(err error) string {
	switch reason := apierrors.ReasonForError(err); {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return string(metav1.StatusReasonTimeout)
	case reason != metav1.StatusReasonUnknown:
		return string(reason)
	default:
		return reasonNoAnswer
	}
}

// said is bounded without the secrets that the plugin was given.
func (c *RestrictedClient) said(s string) string {
	if len(s) <= maxField {
		return c.Redact.Text(s)
	}
	return bounded(strings.ToValidUTF8(c.Redact.Cut(s, maxField-len("…")), "") + "…")
}

// bounded cuts what a guest decides to what a name can be.
func bounded(s string) string {
	if len(s) <= maxField {
		return s
	}
	return strings.ToValidUTF8(s[:maxField-len("…")], "") + "…"
}
