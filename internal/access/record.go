// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"errors"
	"time"

	"golang.org/x/time/rate"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k1s-io/k1s/internal/access/audit"
	"github.com/k1s-io/k1s/internal/access/rbac"
)

// maxField limits the fields of a Record that a guest decides, in bytes. No valid name is longer.
const maxField = 253

// observation is a request in progress.
type observation struct {
	client *RestrictedClient
	action rbac.Action
	began  time.Time
	// host and status are set for an HTTP request.
	host   string
	status int
}

// observe starts the observation of a request. The action is what is known so far: its Resource may still be a kind.
func (c *RestrictedClient) observe(a rbac.Action) observation {
	return observation{client: c, action: a, began: c.factory.clock.Now()}
}

// about sets the resource of the request, once the kind has been looked up.
func (o *observation) about(a rbac.Action) {
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
	r := audit.Record{
		Time:        o.began.UTC(),
		Plugin:      c.Identity.String(),
		Revision:    c.Revision,
		Account:     c.Identity.Username(),
		Verb:        o.action.Verb,
		Group:       c.Redact.Text(o.action.Group),
		Resource:    c.Redact.Text(o.action.Resource),
		Subresource: o.action.Subresource,
		Namespace:   c.bounded(o.action.Namespace),
		Name:        c.bounded(o.action.ObjectName),
		Host:        c.bounded(o.host),
		Status:      o.status,
		Decision:    audit.DecisionAllowed,

		LatencyMicros: c.factory.clock.Since(o.began).Microseconds(),
	}
	if err != nil {
		r.Decision, r.Layer, r.Reason = audit.DecisionError, layerOf(err), reasonOf(err)
		if r.Layer != "" {
			r.Decision = audit.DecisionDenied
		}
	}
	c.record(r)
	if r.Decision == audit.DecisionDenied && c.Denied != nil {
		c.Denied(r)
	}
}

// malformed records a request that is rejected before its resource is known.
func (c *RestrictedClient) malformed(a rbac.Action, err error) error {
	seen := c.observe(a)
	seen.changed(err)
	return err
}

// limiter returns the rate limiter of a Record, or nil if the Record is always made. Requests that were not allowed,
// and HTTP requests, cost a guest little. A change through the API server costs a request to it, and is the audit
// trail. HTTP requests have a limiter of their own, so that the denied requests of a plugin that makes many HTTP
// requests are still recorded.
func (b *bounds) limiter(r *audit.Record) *rate.Limiter {
	switch {
	case r.Decision != audit.DecisionAllowed:
		return b.lines
	case r.Host != "": // an HTTP request
		return b.httpLines
	default:
		return nil
	}
}

// record counts a request, and passes its Record on if its limiter allows it.
func (c *RestrictedClient) record(r audit.Record) {
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
		return audit.LayerAPIServer
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
		return audit.ReasonNoAnswer
	}
}

// bounded returns a text that a guest decides without secrets, and truncated to the maximum length of a name.
func (c *RestrictedClient) bounded(s string) string { return c.Redact.Truncate(s, maxField) }
