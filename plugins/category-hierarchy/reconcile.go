// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"slices"
	"time"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
)

// Pauses before a category is looked at again without a change.
const (
	// orphanPause is for a parent that does not exist. When it comes it places its children itself, so
	// this is only for the case that its own reconcile fails.
	orphanPause = 30 * time.Second
	// catchUpPause gives the operator's cache time to show a parent that exists.
	catchUpPause = time.Second
	// goOnPause is for descendants that are left over; it gives the cache time to show those just written.
	goOnPause = 100 * time.Millisecond
)

type reconciler struct {
	settings *settings
}

// Reconcile places a category: locate it, let its descendants follow, write its status, in this order.
func (r *reconciler) Reconcile(ctx context.Context, req k1s.Request, c *category) (k1s.Result, error) {
	if c == nil {
		return r.gone(ctx, req.Key)
	}
	p, err := r.locate(ctx, c)
	switch {
	case k1s.IsAlreadyExists(err):
		// The cache does not have the parent yet that the API server has.
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

// gone makes orphans of the children of a category that no longer exists.
func (r *reconciler) gone(ctx context.Context, key k1s.Key) (k1s.Result, error) {
	done, err := r.placeDescendants(ctx, key, func(child string) place { return orphan(child, key.Name, "") })
	if err != nil || !done {
		return k1s.Result{RequeueAfter: goOnPause}, err
	}
	return k1s.Result{}, nil
}

// locate walks up from a category to its root and returns where that puts it. A parent that does not
// exist is created if the settings say so.
func (r *reconciler) locate(ctx context.Context, c *category) (place, error) {
	chain := []string{c.Name} // the category, its parent, its parent's parent …
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
			// Only the category next to the gap fills it, in its own reconcile.
			return orphan(chain[len(chain)-1], parent, ""), nil
		default:
			refused, err := createParent(ctx, c)
			if err != nil || refused != "" {
				return orphan(c.Name, parent, refused), err
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
