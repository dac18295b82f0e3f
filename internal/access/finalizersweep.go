// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const (
	// sweepPage is how many objects one page of a list has.
	sweepPage = 500
	// sweepParallel is how many finalizers are removed at the same time.
	sweepParallel = 8
	// sweepRounds is how often all objects are listed at most, so that a client that adds the finalizer again and again
	// cannot block the sweep forever.
	sweepRounds = 10
	// sweepErrors is how many objects the error of a sweep names.
	sweepErrors = 3
)

// Sweep removes the finalizer from all objects of a resource, in all namespaces, as the operator. It lists from the API
// server until no object has the finalizer, because a request that was in progress when the plugin was stopped may end
// after the first list. The error satisfies kinds.IsPathNotFound if the resource is not served. That says nothing about
// its objects, which another version may serve.
func (f *Finalizer) Sweep(ctx context.Context, resource schema.GroupVersionResource) (removed int, err error) {
	for range sweepRounds {
		n, err := f.sweepOnce(ctx, resource)
		removed += n
		if err != nil {
			return removed, fmt.Errorf("take the finalizer %q off %s: %w", f.Name, resource.GroupResource(), err)
		}
		if n == 0 {
			return removed, nil
		}
	}
	return removed, fmt.Errorf("remove the finalizer %q from %s: something adds it to objects again and again", f.Name, resource.GroupResource())
}

// sweepOnce removes the finalizer from the objects of a resource, and continues if some of them fail.
func (f *Finalizer) sweepOnce(ctx context.Context, resource schema.GroupVersionResource) (removed int, err error) {
	var mu sync.Mutex
	var failed []error
	failures := 0
	var work errgroup.Group
	work.SetLimit(sweepParallel)
	err = f.eachPage(ctx, resource, func(page []metav1.PartialObjectMetadata) {
		for i := range page {
			o := &page[i]
			if !f.On(o) {
				continue
			}
			work.Go(func() error {
				err := f.Release(ctx, resource, o)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					removed++
					return nil
				}
				if failures++; failures <= sweepErrors {
					failed = append(failed, fmt.Errorf("%s/%s: %w", o.Namespace, o.Name, err))
				}
				return nil
			})
		}
	})
	_ = work.Wait() // the errors are in failed
	if more := failures - len(failed); more > 0 {
		failed = append(failed, fmt.Errorf("%d more objects", more))
	}
	return removed, errors.Join(append(failed, err)...)
}

// eachPage lists the metadata of a resource's objects, page by page.
func (f *Finalizer) eachPage(ctx context.Context, resource schema.GroupVersionResource, do func([]metav1.PartialObjectMetadata)) error {
	options := metav1.ListOptions{Limit: sweepPage}
	for {
		list, err := f.asOperator.Resource(resource).List(ctx, options)
		switch {
		case apierrors.IsResourceExpired(err) && options.Continue != "":
			options.Continue = "" // objects that are done no longer have the finalizer
			continue
		case err != nil:
			return fmt.Errorf("list: %w", err)
		}
		do(list.Items)
		if options.Continue = list.Continue; options.Continue == "" {
			return nil
		}
	}
}
