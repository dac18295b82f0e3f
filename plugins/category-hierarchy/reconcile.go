// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"slices"
	"time"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
)

// The delays before a category is requeued without a change.
const (
	// orphanPause is for a parent that does not exist. When the parent is created, its own reconcile places its
	// children, so this delay matters only if that reconcile fails.
	orphanPause = 30 * time.Second
	// catchUpPause gives the operator's cache time to receive a parent that exists.
	catchUpPause = time.Second
	// goOnPause is for remaining descendants. It gives the cache time to receive those that were just written.
	goOnPause = 100 * time.Millisecond
)

type reconciler struct {
	settings *settings
}

// Reconcile computes the place of a category. It locates the category, updates its descendants, and writes its status,
// in this order.
func (r *reconciler) Reconcile(ctx context.Context, req k1s.Request, c *category) (k1s.Result, error) {
	if c == nil {
		return r.deleted(ctx, req.Key)
	}
	p, err := r.locate(ctx, c)
	switch {
	case k1s.IsAlreadyExists(err):
		// The cache has not received the parent yet.
		return k1s.Result{RequeueAfter: catchUpPause}, nil
	case err != nil:
		return k1s.Result{}, err
	}
	if status, changed := p.status(c.status, r.settings.maxDepth); changed {
		done, err := r.placeDescendants(ctx, req.Key, p.child)
		if err != nil || !done {
			return k1s.Result{RequeueAfter: goOnPause}, err
		}
		if err := write(ctx, c, status); err != nil {
			return k1s.Result{}, err
		}
	}
	if p.reason == reasonParentNotFound {
		return k1s.Result{RequeueAfter: orphanPause}, nil
	}
	return k1s.Result{}, nil
}

// deleted turns the children of a deleted category into orphans.
func (r *reconciler) deleted(ctx context.Context, key k1s.Key) (k1s.Result, error) {
	done, err := r.placeDescendants(ctx, key, func(child string) place { return orphan(child, key.Name, "") })
	if err != nil || !done {
		return k1s.Result{RequeueAfter: goOnPause}, err
	}
	return k1s.Result{}, nil
}

// locate walks up from a category to its root and returns the resulting place. It creates a parent that does not exist
// if the settings enable that.
func (r *reconciler) locate(ctx context.Context, c *category) (place, error) {
	chain := []string{c.Name} // the category, its parent, the parent of that …
	for parent := c.spec.parent; parent != ""; {
		if i := slices.Index(chain, parent); i >= 0 {
			return circle(chain[i:]), nil
		}
		var next link
		switch err := k1s.Get(ctx, k1s.Key{Namespace: c.Namespace, Name: parent}, &next); {
		case err == nil:
		case !k1s.IsNotFound(err):
			return place{}, err
		case len(chain) > 1 || !r.settings.autoCreateParents || c.IsBeingDeleted():
			// Only the reconcile of the category whose parent is missing creates that parent.
			return orphan(chain[len(chain)-1], parent, ""), nil
		default:
			rejected, err := createParent(ctx, c)
			if err != nil || rejected != "" {
				return orphan(c.Name, parent, rejected), err
			}
		}
		chain = append(chain, parent)
		parent = next.spec.parent
	}
	p := root(chain[len(chain)-1])
	for i := len(chain) - 2; i >= 0; i-- {
		p = p.child(chain[i])
	}
	return p, nil
}
