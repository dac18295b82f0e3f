// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/k1s-io/k1s/internal/plugin"
)

// Request is one object to reconcile.
type Request struct {
	GVK schema.GroupVersionKind
	types.NamespacedName
}

// Spec is what one plugin's controller watches.
type Spec struct {
	// Targets are the kinds whose objects are reconciled.
	Targets []plugin.Target
	// Owns are kinds of objects whose controlling owner is reconciled when they change.
	Owns []schema.GroupVersionKind
	// Kinds maps the target and the owned kinds to how the API server serves them.
	Kinds map[schema.GroupVersionKind]*meta.RESTMapping
	// Namespaces are those whose objects are in scope.
	Namespaces plugin.Namespaces
	// Finalizer, if set, adds every object of the target kinds that has it, whatever its namespace and its labels: the
	// plugin that added the finalizer has to remove it.
	Finalizer string
	// MaxConcurrentReconciles must be greater than 0.
	MaxConcurrentReconciles int
}

// Equal reports whether two specs watch the same, in the same way.
func (s Spec) Equal(other Spec) bool {
	same := func(a, b *meta.RESTMapping) bool { return *a == *b }
	return s.EqualButKinds(other) && maps.EqualFunc(s.Kinds, other.Kinds, same)
}

// EqualButKinds reports whether two specs are equal, except for how the API server serves their kinds.
func (s Spec) EqualButKinds(other Spec) bool {
	return slices.EqualFunc(s.Targets, other.Targets, plugin.Target.Equal) &&
		slices.Equal(s.Owns, other.Owns) &&
		slices.Equal(s.Namespaces, other.Namespaces) &&
		s.Finalizer == other.Finalizer &&
		s.MaxConcurrentReconciles == other.MaxConcurrentReconciles
}

// kinds returns every kind that the spec needs an informer for, once each.
func (s Spec) kinds() []schema.GroupVersionKind {
	var kinds []schema.GroupVersionKind
	for _, t := range s.Targets {
		if !slices.Contains(kinds, t.GVK) {
			kinds = append(kinds, t.GVK)
		}
	}
	for _, gvk := range s.Owns {
		if !slices.Contains(kinds, gvk) {
			kinds = append(kinds, gvk)
		}
	}
	return kinds
}

// namespaced reports whether objects of a kind are in namespaces.
func (s Spec) namespaced(gvk schema.GroupVersionKind) bool {
	kind := s.Kinds[gvk]
	return kind != nil && kind.Scope.Name() == meta.RESTScopeNameNamespace
}

// target returns the target of a kind, or nil.
func (s Spec) target(gvk schema.GroupVersionKind) *plugin.Target {
	for i := range s.Targets {
		if s.Targets[i].GVK == gvk {
			return &s.Targets[i]
		}
	}
	return nil
}

// Selects reports whether an object is in scope and matches the selector of its kind's target.
func (s Spec) Selects(gvk schema.GroupVersionKind, o metav1.Object) bool {
	t := s.target(gvk)
	return t != nil && s.Namespaces.Has(o.GetNamespace()) && t.Selects(o.GetLabels())
}

// informerKeys reports whether an object has the spec's finalizer.
func (s Spec) informerKeys(o metav1.Object) bool {
	return s.Finalizer != "" && slices.Contains(o.GetFinalizers(), s.Finalizer)
}
