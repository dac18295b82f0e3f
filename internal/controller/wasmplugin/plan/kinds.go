// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// Kinds maps the kinds that a plugin targets or watches to their resources.
type Kinds map[schema.GroupVersionKind]*meta.RESTMapping

// Equal reports whether the kinds are served in the same way.
func (k Kinds) Equal(other Kinds) bool {
	return maps.EqualFunc(k, other, func(a, b *meta.RESTMapping) bool { return *a == *b })
}

// of returns the wanted kinds only.
func (k Kinds) of(wanted []schema.GroupVersionKind) Kinds {
	out := Kinds{}
	for _, gvk := range wanted {
		if mapping := k[gvk]; mapping != nil {
			out[gvk] = mapping
		}
	}
	return out
}

// Kinds returns every kind that the plugin targets or watches, once each.
func (p Plan) Kinds() []schema.GroupVersionKind {
	out := p.Watched()
	for _, t := range p.Targets {
		if !slices.Contains(out, t.GVK) {
			out = append(out, t.GVK)
		}
	}
	return out
}

// Watched returns every kind that the plugin needs a watch for, once each.
func (p Plan) Watched() []schema.GroupVersionKind {
	var out []schema.GroupVersionKind
	for _, t := range p.Watch.Targets {
		out = append(out, t.GVK)
	}
	for _, gvk := range p.Watch.Owns {
		if !slices.Contains(out, gvk) {
			out = append(out, gvk)
		}
	}
	return out
}

// Finalized returns the kinds whose objects get the plugin's finalizer.
func (p Plan) Finalized() []schema.GroupVersionKind {
	if !p.Has(plugin.CapabilityFinalization) {
		return nil
	}
	var out []schema.GroupVersionKind
	for _, t := range p.Watch.Targets {
		out = append(out, t.GVK)
	}
	return out
}

// NeedsCleanup reports whether the plugin leaves something in the cluster that has to be removed with it: its finalizer
// on objects, or its webhook configurations.
func (p Plan) NeedsCleanup() bool {
	return p.Has(plugin.CapabilityFinalization) || len(p.AdmissionVerbs()) > 0
}

// With adds kinds to the recorded ones of status.finalizedTypes. Two versions of a kind are the same kind.
func With(recorded []pluginsv1alpha1.TypeReference, kinds []schema.GroupVersionKind) []pluginsv1alpha1.TypeReference {
	out := Without(recorded, kinds)
	for _, gvk := range kinds {
		apiVersion, kind := gvk.ToAPIVersionAndKind()
		out = append(out, pluginsv1alpha1.TypeReference{APIVersion: apiVersion, Kind: kind})
	}
	slices.SortFunc(out, func(a, b pluginsv1alpha1.TypeReference) int {
		return cmp.Or(cmp.Compare(a.APIVersion, b.APIVersion), cmp.Compare(a.Kind, b.Kind))
	})
	return out
}

// Without returns the recorded kinds of status.finalizedTypes except the given ones, in whatever version.
func Without(recorded []pluginsv1alpha1.TypeReference, kinds []schema.GroupVersionKind) []pluginsv1alpha1.TypeReference {
	var out []pluginsv1alpha1.TypeReference
	for _, t := range recorded {
		same := func(gvk schema.GroupVersionKind) bool { return gvk.GroupKind() == KindOf(t).GroupKind() }
		if !slices.ContainsFunc(kinds, same) {
			out = append(out, t)
		}
	}
	return out
}

// KindOf returns the kind of a TypeReference.
func KindOf(t pluginsv1alpha1.TypeReference) schema.GroupVersionKind {
	return schema.FromAPIVersionAndKind(t.APIVersion, t.Kind)
}
