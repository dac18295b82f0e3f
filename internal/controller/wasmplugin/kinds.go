// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"maps"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	apikinds "github.com/k1s-io/k1s/internal/kinds"
	"github.com/k1s-io/k1s/internal/plugin"
)

// Kinds resolves how the API server serves kinds. A *kinds.Resolver implements it.
type Kinds interface {
	// Resolve returns how a kind is served in its version. The error is a *kinds.NotServedError if it is not.
	Resolve(ctx context.Context, gvk schema.GroupVersionKind) (*meta.RESTMapping, error)
	// Served returns how a kind is served in each version, the preferred one first.
	Served(ctx context.Context, gk schema.GroupKind) ([]*meta.RESTMapping, error)
	// Definition returns the name of a kind's CustomResourceDefinition, if there is one.
	Definition(ctx context.Context, gk schema.GroupKind) (string, error)
	// Invalidate makes Kinds resolve the kinds of the given groups again.
	Invalidate(groups ...string)
}

// kinds maps the kinds that a plugin targets or watches to their resources.
type kinds map[schema.GroupVersionKind]*meta.RESTMapping

// equal reports whether the kinds are served in the same way.
func (k kinds) equal(other kinds) bool {
	return maps.EqualFunc(k, other, func(a, b *meta.RESTMapping) bool { return *a == *b })
}

// of returns the wanted kinds only.
func (k kinds) of(wanted []schema.GroupVersionKind) kinds {
	out := kinds{}
	for _, gvk := range wanted {
		if mapping := k[gvk]; mapping != nil {
			out[gvk] = mapping
		}
	}
	return out
}

// resolveKinds resolves how the plan's kinds are served.
func (r *Reconciler) resolveKinds(ctx context.Context, l *load) error {
	resolved, err := r.resolve(ctx, l.plan)
	if err != nil {
		var unserved *plugin.LoadError
		if errors.As(err, &unserved) {
			r.guard.waitForKinds(l.name, l.plan, unserved.Error())
		}
		return err
	}
	l.kinds = resolved
	l.plan.watch.Kinds = resolved.of(l.plan.watched())
	return nil
}

// resolve returns how the kinds of a plan are served. The error is a *plugin.LoadError if the plan cannot use a kind as
// it is served.
func (r *Reconciler) resolve(ctx context.Context, p plan) (kinds, error) {
	resolved := kinds{}
	for _, gvk := range p.kinds() {
		mapping, err := r.Kinds.Resolve(ctx, gvk)
		var not *apikinds.NotServedError
		switch {
		case errors.As(err, &not) && len(not.Served) > 0:
			return nil, plugin.Reject(pluginsv1alpha1.ReasonKindVersionNotServed,
				"%v: use a module for one that is served, or serve %s again in its CustomResourceDefinition", not, gvk.Version)
		case errors.As(err, &not):
			return nil, plugin.Reject(pluginsv1alpha1.ReasonKindNotFound,
				"%v: install its CustomResourceDefinition; the plugin loads as soon as it is there", not)
		case err != nil:
			return nil, err
		}
		if mapping.Scope.Name() == meta.RESTScopeNameRoot && !p.allowlist.Everywhere() {
			return nil, plugin.Reject(pluginsv1alpha1.ReasonNamespacesRequired,
				`kind %q is cluster-scoped: add "*" to spec.security.allowedNamespaces to let the plugin have it`, gvk.Kind)
		}
		resolved[gvk] = mapping
	}
	return resolved, nil
}
