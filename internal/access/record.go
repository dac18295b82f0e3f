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
	// DecisionAllowed means that the request succeeded at the API server, or that an HTTP server responded.
	DecisionAllowed = "allowed"
	// DecisionDenied means that a layer denied the request, and that nothing was done.
	DecisionDenied = "denied"
	// DecisionError means that the request failed for another reason.
	DecisionError = "error"
)

// layerAPIServer is the layer of requests that the API server forbids: RBAC for the plugin's ServiceAccount, or
// admission.
const layerAPIServer = "apiserver"

// reasonNoAnswer is the reason if the API server did not respond. Whether the change was made is not known.
const reasonNoAnswer = "NoAnswer"

// maxField limits the fields of a Record that a guest decides, in bytes. No valid name is longer.
const maxField = 253

// Record is the record of one request of a guest. There is one for each request that changes something, and, up to a
// limit, for HTTP requests and denied requests. It contains only the name of an object, not its content. docs/audit.md
// explains the fields.
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
	// Host and Status are set for an HTTP request: the last destination as "host:port", and the status code of its
	// response.
	Host   string `json:"host,omitempty"`
	Status int    `json:"status,omitempty"`

	Decision string `json:"decision"`
	// Layer is the layer that denied the request.
	Layer string `json:"layer,omitempty"`
	// Reason is the API reason of a request that did not succeed.
	Reason string `json:"reason,omitempty"`
	// LatencyMicros is how long the guest waited, in microseconds.
	LatencyMicros int64 `json:"latencyMicros"`
	// Omitted is how many requests of the plugin were not recorded since its previous Record.
	Omitted int64 `json:"omitted,omitempty"`
}

// Audit receives Records. It is called while a guest waits, so it must not block.
type Audit interface {
	Record(r Record)
}

// Metrics counts decisions.
type Metrics interface {
	// Decided counts a request by its decision. The layer is empty unless the request was denied.
	Decided(plugin, decision, layer string)
	// Suspicious counts a plugin whose requests are denied so often that somebody should look at it.
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

// observation is a request in progress.
type observation struct {
	client *RestrictedClient
	action Action
	began  time.Time
	// host and status are set for an HTTP request.
	host   string
	status int
}

// observe starts the observation of a request. The action is what is known so far: its Resource may still be a kind.
func (c *RestrictedClient) observe(a Action) observation {
	return observation{client: c, action: a, began: c.factory.clock.Now()}
}

// about sets the resource of the request, once the kind has been looked up.
func (o *observation) about(a Action) {
	if a.Resource != "" {
		o.action.Group, o.action.Resource = a.Group, a.Resource
	}
}

// read ends the observation of a request that changes nothing. It is recorded only if it was denied, or if it is one
// that is never made by mistake, such as a request for a name that is a path.
func (o *observation) read(err error) {
	if err != nil && (layerOf(err) != "" || apierrors.IsBadRequest(err)) {
		o.changed(err)
	}
}

// changed ends the observation of a request that changes something.
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
		Namespace:   c.message(o.action.Namespace),
		Name:        c.message(o.action.ObjectName),
		Host:        c.message(o.host),
		Status:      o.status,
		Decision:    DecisionAllowed,

		LatencyMicros: c.factory.clock.Since(o.began).Microseconds(),
	}
	if err != nil {
		r.Decision, r.Layer, r.Reason = DecisionError, layerOf(err), reasonOf(err)
		if r.Layer != "" {
			r.Decision = DecisionDenied
		}
	}
	c.record(r)
	if r.Decision == DecisionDenied && c.Denied != nil {
		c.Denied(r)
	}
}

// malformed records a request that is rejected before its resource is known.
func (c *RestrictedClient) malformed(a Action, err error) error {
	seen := c.observe(a)
	seen.changed(err)
	return err
}

// isHTTP reports whether a Record is of an HTTP request.
func (r *Record) isHTTP() bool { return r.Host != "" }

// limiter returns the rate limiter of a Record, or nil if the Record is always made. Requests that were not allowed,
// and HTTP requests, cost a guest little. A change through the API server costs a request to it, and is the audit
// trail. HTTP requests have a limiter of their own, so that the denied requests of a plugin that makes many HTTP
// requests are still recorded.
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

// record counts a request, and passes its Record on if its limiter allows it.
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

// layerOf returns the layer that denied the request, or "" if the error does not mean a denial.
func layerOf(err error) string {
	var denied *denial
	switch {
	case errors.As(err, &denied):
		return denied.layer
	case apierrors.IsForbidden(err):
		return layerAPIServer
	default:
		return ""
	}
}

// reasonOf returns the API reason of a failed request, without the message, which may quote the object.
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

// message is bounded with the plugin's secrets redacted.
func (c *RestrictedClient) message(s string) string {
	if len(s) <= maxField {
		return c.Redact.Text(s)
	}
	return bounded(strings.ToValidUTF8(c.Redact.Cut(s, maxField-len("…")), "") + "…")
}

// bounded truncates a text that a guest decides to the maximum length of a name.
func bounded(s string) string {
	if len(s) <= maxField {
		return s
	}
	return strings.ToValidUTF8(s[:maxField-len("…")], "") + "…"
}
