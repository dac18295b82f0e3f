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
	// sweepPage is how many objects are listed at once.
	sweepPage = 500
	// sweepParallel is how many finalizers are taken off at once.
	sweepParallel = 8
	// sweepRounds is how often all are listed: who puts the finalizer on objects again and again must not keep whoever
	// waits for the sweep.
	sweepRounds = 10
	// sweepErrors is how many objects a sweep's error names.
	sweepErrors = 3
)

// Sweep takes the finalizer off all objects of a resource, as the operator: those that carry it, in whatever
// namespace. It lists from the API server until it finds none, as a request that was under way when the plugin
// was stopped may end after the first list. The error is one of kinds.IsPathNotFound where the resource is not served:
// that says nothing about its objects, which another version may serve.
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
	return removed, fmt.Errorf("take the finalizer %q off %s: somebody puts it on objects again and again", f.Name, resource.GroupResource())
}

// sweepOnce goes through a resource's objects, and on when some of them fail.
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
	_ = work.Wait() // failed has them
	if more := failures - len(failed); more > 0 {
		failed = append(failed, fmt.Errorf("%d more objects", more))
	}
	return removed, errors.Join(append(failed, err)...)
}

// eachPage lists a resource's metadata, page by page.
func (f *Finalizer) eachPage(ctx context.Context, resource schema.GroupVersionResource, do func([]metav1.PartialObjectMetadata)) error {
	options := metav1.ListOptions{Limit: sweepPage}
	for {
		list, err := f.asOperator.Resource(resource).List(ctx, options)
		switch {
		case apierrors.IsResourceExpired(err) && options.Continue != "":
			options.Continue = "" // those that were done are not done again
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
