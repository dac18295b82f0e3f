// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/k1s-io/k1s/internal/access/audit"
	"github.com/k1s-io/k1s/internal/kinds"
)

// lookUp returns the resource of a kind. Lookups of a kind that no plugin has requested before are limited, because
// they may cause requests to the API server.
func (c *RestrictedClient) lookUp(ctx context.Context, gvk schema.GroupVersionKind) (*meta.RESTMapping, error) {
	changes := c.factory.kinds.Changes(gvk.Group)
	_, known := c.factory.known.Load(gvk)
	if !known {
		if at, unknown := c.bounds.unknown.Get(gvk); unknown && at == changes {
			return nil, notInstalled(gvk)
		}
		if !c.bounds.allow(c.bounds.lookups) {
			c.denied(audit.LayerRate)
			return nil, tooOften("kinds that are looked up", lookupsPerSecond)
		}
	}
	mapping, err := c.factory.kinds.Resolve(ctx, gvk)
	switch {
	case kinds.IsNotServed(err):
		c.factory.known.Delete(gvk)
		c.bounds.unknown.Add(gvk, changes, unknownFor)
		return nil, notInstalled(gvk)
	case err != nil:
		return nil, err
	}
	if !known {
		c.factory.known.Store(gvk, struct{}{})
	}
	return mapping, nil
}

// perform makes a request. If the API server responds that it serves nothing at the request's path, the kind has
// changed since it was resolved. The guest must not take that for an object that does not exist.
func (c *RestrictedClient) perform(ctx context.Context, r resolved, do func() ([]byte, error)) ([]byte, error) {
	out, err := do()
	if !kinds.IsPathNotFound(err) {
		return out, err
	}
	gvk := r.kind.GroupVersionKind
	if c.bounds.allow(c.bounds.lookups) {
		c.factory.kinds.Invalidate(gvk.Group)
	}
	mapping, lookupErr := c.lookUp(ctx, gvk)
	switch {
	case lookupErr != nil:
		return nil, lookupErr
	case *mapping == *r.kind && r.Subresource != "": // the kind does not have the subresource
		return nil, err
	}
	return nil, changing(gvk)
}

// changing returns the error for a kind that the API server has just begun to serve in another way.
func changing(gvk schema.GroupVersionKind) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status:  metav1.StatusFailure,
		Code:    http.StatusServiceUnavailable,
		Reason:  metav1.StatusReasonServiceUnavailable,
		Message: fmt.Sprintf("the API server is changing how it serves kind %q of %q: retry", gvk.Kind, gvk.GroupVersion()),
		Details: &metav1.StatusDetails{RetryAfterSeconds: 1},
	}}
}
