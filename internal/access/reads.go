// SPDX-License-Identifier: Apache-2.0

package access

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access/audit"
	"github.com/k1s-io/k1s/internal/access/rbac"
)

// Get returns an object: from the shared cache if the plugin watches its kind, otherwise from the API server.
func (c *RestrictedClient) Get(ctx context.Context, req abi.ObjectKey) (out []byte, err error) {
	gvk, err := parseGVK(req.APIVersion, req.Kind)
	if err != nil {
		return nil, err
	}
	seen := c.observe(rbac.Action{Verb: "get", Group: gvk.Group, Resource: gvk.Kind, Namespace: req.Namespace, ObjectName: req.Name})
	defer func() { seen.read(err) }()
	if err := needName(req.Name); err != nil {
		return nil, err
	}
	r, err := c.action(ctx, "get", gvk, "", req.Namespace, req.Name)
	seen.about(r.Action)
	if err != nil {
		return nil, err
	}
	if c.cached(r.kind) {
		if err := c.review(ctx, r.Action); err != nil {
			return nil, err
		}
		return c.limited(func() ([]byte, error) { return c.factory.cache.Get(ctx, gvk, req.Namespace, req.Name) })
	}
	return c.limited(func() ([]byte, error) {
		return c.perform(ctx, r, func() ([]byte, error) { return read(ctx, c.asPlugin.Get().AbsPath(r.Path()...)) })
	})
}

// List returns a list: from the shared cache if the plugin watches the kind and the request needs nothing that only the
// API server supports.
func (c *RestrictedClient) List(ctx context.Context, req abi.ListRequest) (out []byte, err error) {
	gvk, err := parseGVK(req.APIVersion, req.Kind)
	if err != nil {
		return nil, err
	}
	seen := c.observe(rbac.Action{Verb: "list", Group: gvk.Group, Resource: gvk.Kind, Namespace: req.Namespace})
	defer func() { seen.read(err) }()
	if err := checkSelectors(req); err != nil {
		return nil, err
	}
	r, err := c.action(ctx, "list", gvk, "", req.Namespace, "")
	seen.about(r.Action)
	if err != nil {
		return nil, err
	}
	if c.cached(r.kind) && req.FieldSelector == "" && req.Limit == 0 && req.Continue == "" {
		if err := c.review(ctx, r.Action); err != nil {
			return nil, err
		}
		return c.limited(func() ([]byte, error) {
			out, err := c.factory.cache.List(ctx, gvk, req.Namespace, req.LabelSelector)
			if err == nil && len(out) > abi.MaxPayload {
				return nil, tooLong()
			}
			return out, err
		})
	}
	out, err = c.limited(func() ([]byte, error) {
		return c.perform(ctx, r, func() ([]byte, error) { return read(ctx, c.listRequest(r.Action, req)) })
	})
	if err != nil {
		return nil, err
	}
	return nameItems(out, gvk)
}

// listRequest returns the request to the API server for a list that the cache cannot answer.
func (c *RestrictedClient) listRequest(a rbac.Action, req abi.ListRequest) *rest.Request {
	r := c.asPlugin.Get().AbsPath(a.Path()...)
	for name, value := range map[string]string{
		"labelSelector": req.LabelSelector, "fieldSelector": req.FieldSelector, "continue": req.Continue,
	} {
		if value != "" {
			r = r.Param(name, value)
		}
	}
	if req.Limit > 0 {
		r = r.Param("limit", strconv.FormatInt(req.Limit, 10))
	}
	return r
}

// cached reports whether a kind is read from the shared cache. That another plugin watches the kind is not enough: its
// informer may stop at any time.
func (c *RestrictedClient) cached(kind *meta.RESTMapping) bool {
	return c.watches[kind.GroupVersionKind] && c.factory.cache.Watched(kind)
}

// review asks RBAC before the cache answers, because the API server does not check the permissions then.
func (c *RestrictedClient) review(ctx context.Context, a rbac.Action) error {
	d, err := c.factory.authorizer.AuthorizeWithin(ctx, c.Identity, a, c.bounds.canReview)
	switch {
	case errors.Is(err, rbac.ErrTooManyReviews):
		c.denied(audit.LayerRate)
		return tooOften("reads that need an access review", reviewsPerSecond)
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		// The API server's error is not wrapped as such: a Forbidden error about the operator does not mean that the
		// plugin's request is denied.
		return apierrors.NewInternalError(fmt.Errorf("%s: %w", audit.LayerRBAC, err))
	}
	if !d.Allowed {
		why := "the ServiceAccount " + strconv.Quote(c.Identity.ServiceAccount) + " lacks this permission"
		if d.Reason != "" {
			why += ": " + d.Reason
		}
		return forbidden(audit.LayerRBAC, a, "%s", why)
	}
	return nil
}

func checkSelectors(req abi.ListRequest) error {
	for _, text := range []struct{ what, text string }{
		{"labelSelector", req.LabelSelector}, {"fieldSelector", req.FieldSelector}, {"continue", req.Continue},
	} {
		if len(text.text) > maxSelector {
			return apierrors.NewBadRequest(fmt.Sprintf("%s has %d bytes, more than the %d allowed", text.what, len(text.text), maxSelector))
		}
	}
	if _, err := labels.Parse(req.LabelSelector); err != nil {
		return apierrors.NewBadRequest("labelSelector: " + err.Error())
	}
	if _, err := fields.ParseSelector(req.FieldSelector); err != nil {
		return apierrors.NewBadRequest("fieldSelector: " + err.Error())
	}
	if req.Limit < 0 {
		return apierrors.NewBadRequest("limit is negative")
	}
	return nil
}

// nameItems sets the apiVersion and kind of every item of a list. The API server omits them from the items of its
// built-in kinds, but the guest ABI promises them for all.
func nameItems(list []byte, gvk schema.GroupVersionKind) ([]byte, error) {
	var l struct {
		APIVersion string            `json:"apiVersion,omitempty"`
		Kind       string            `json:"kind,omitempty"`
		Metadata   json.RawMessage   `json:"metadata"`
		Items      []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(list, &l); err != nil {
		return nil, fmt.Errorf("decode the list: %w", err)
	}
	if l.Items == nil {
		l.Items = []json.RawMessage{}
	}
	// Both are names, which need no escaping.
	head := fmt.Sprintf(`{"apiVersion":%q,"kind":%q,`, gvk.GroupVersion(), gvk.Kind)
	for i, item := range l.Items {
		var named struct {
			Kind string `json:"kind"`
		}
		if err := json.Unmarshal(item, &named); err != nil {
			return nil, fmt.Errorf("decode item %d of the list: %w", i, err)
		}
		if rest, ok := bytes.CutPrefix(item, []byte("{")); ok && named.Kind == "" {
			l.Items[i] = append([]byte(head), rest...)
		}
	}
	return json.Marshal(l)
}
