// SPDX-License-Identifier: Apache-2.0

package kinds

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// resourcesOf returns the resources that are served in a group and version, or nothing if it is not served.
func (r *Resolver) resourcesOf(ctx context.Context, gv schema.GroupVersion) ([]*meta.RESTMapping, error) {
	return ask(ctx, r, r.resources, gv, gv.Group, "resources", func(ctx context.Context) ([]*meta.RESTMapping, bool, error) {
		path := "/apis/" + gv.String()
		if gv.Group == "" {
			path = "/api/" + gv.Version
		}
		var list metav1.APIResourceList
		found, err := r.get(ctx, path, &list)
		return mappings(gv, list.APIResources), found, err
	})
}

// versionsOf returns the versions of a group, the preferred one first, or nothing if the group is not served.
func (r *Resolver) versionsOf(ctx context.Context, group string) ([]string, error) {
	return ask(ctx, r, r.versions, group, group, "versions", func(ctx context.Context) ([]string, bool, error) {
		if group == "" {
			var core metav1.APIVersions
			found, err := r.get(ctx, "/api", &core)
			return core.Versions, found, err
		}
		var g metav1.APIGroup
		found, err := r.get(ctx, "/apis/"+group, &g)
		var versions []string
		if preferred := g.PreferredVersion.Version; preferred != "" {
			versions = append(versions, preferred)
		}
		for _, v := range g.Versions {
			if v.Version != g.PreferredVersion.Version {
				versions = append(versions, v.Version)
			}
		}
		return versions, found, err
	})
}

// ask returns a cached answer that is still fresh, or asks the API server. Callers that ask for the same at the same
// time share a request, unless something has changed since it began. If the API server fails, an answer that is merely
// too old is better than an error. What is not served is not cached, because guests can name any number of groups.
func ask[K comparable, T any](
	ctx context.Context, r *Resolver, served map[K]answer[T], key K, group, what string, get func(context.Context) (T, bool, error),
) (T, error) {
	r.mu.RLock()
	known, ok := served[key]
	if ok && r.fresh(group, known.asked) {
		r.mu.RUnlock()
		return known.value, nil
	}
	now := change{number: r.number, at: r.clock.Now()}
	ok = ok && r.valid(group, known.asked)
	last := r.last(group)
	r.mu.RUnlock()

	result := r.flight.DoChan(fmt.Sprint(what, " ", key, " ", last.number), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
		defer cancel()
		value, found, err := get(ctx)
		if err != nil {
			return value, err
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		switch {
		case !r.valid(group, now): // the answer is for those who asked before the change
		case found:
			served[key] = answer[T]{asked: now, value: value}
		default:
			delete(served, key)
		}
		return value, nil
	})
	var zero T
	select {
	case <-ctx.Done():
		return zero, ctx.Err()
	case got := <-result:
		if got.Err != nil && ok {
			return known.value, nil
		}
		if got.Err != nil {
			return zero, got.Err
		}
		value, _ := got.Val.(T)
		return value, nil
	}
}

// get reads a discovery document, and reports whether it exists.
func (r *Resolver) get(ctx context.Context, path string, into runtime.Object) (bool, error) {
	err := r.client.Get().AbsPath(path).Do(ctx).Into(into)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// mappings returns the mappings of resources, without subresources.
func mappings(gv schema.GroupVersion, resources []metav1.APIResource) []*meta.RESTMapping {
	var out []*meta.RESTMapping
	for _, resource := range resources {
		if strings.Contains(resource.Name, "/") {
			continue
		}
		scope := meta.RESTScopeRoot
		if resource.Namespaced {
			scope = meta.RESTScopeNamespace
		}
		out = append(out, &meta.RESTMapping{Resource: gv.WithResource(resource.Name), GroupVersionKind: gv.WithKind(resource.Kind), Scope: scope})
	}
	return out
}
