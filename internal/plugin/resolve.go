// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// Target is a kind that a plugin handles, with a selector for its objects.
type Target struct {
	GVK schema.GroupVersionKind
	// Selector selects the objects by their labels. Nil selects all.
	Selector labels.Selector
}

// Equal reports whether two targets select the same objects.
func (t Target) Equal(other Target) bool {
	text := func(s labels.Selector) string {
		if s == nil {
			return ""
		}
		return s.String()
	}
	return t.GVK == other.GVK && text(t.Selector) == text(other.Selector)
}

// Selects reports whether labels match the selector.
func (t Target) Selects(l map[string]string) bool {
	return t.Selector == nil || t.Selector.Matches(labels.Set(l))
}

// ResolveCapabilities returns the capabilities of the spec, or those that the module declares if the spec has none. The
// error is a *LoadError.
func ResolveCapabilities(asked, declared []Capability) ([]Capability, error) {
	granted := asked
	if len(asked) == 0 {
		granted = declared
	}
	for _, c := range granted {
		if !slices.Contains(declared, c) {
			return nil, Reject(pluginsv1alpha1.ReasonCapabilityNotDeclared,
				"spec.capabilities asks for %q, but the module declares only %q: remove it, or use a module that has it", c, declared)
		}
		if !slices.Contains(Supported(), c) {
			return nil, Reject(pluginsv1alpha1.ReasonUnsupportedCapability,
				"the module declares the capability %q, which this operator does not serve: set spec.capabilities to those of %q that you want", c, Supported())
		}
	}
	if !slices.ContainsFunc(granted, OfTypes) {
		return nil, Reject(pluginsv1alpha1.ReasonUnsupportedCapability,
			"the plugin has only the capabilities %q, so that nothing would ever call it: it needs one more of %q", granted,
			slices.DeleteFunc(Supported(), func(c Capability) bool { return !OfTypes(c) }))
	}
	return granted, nil
}

// ParseForTypes parses spec.forTypes. The error is a *LoadError.
func ParseForTypes(asked []pluginsv1alpha1.ForType) ([]Target, error) {
	var targets []Target
	for i, t := range asked {
		gvk, err := ParseType(t.APIVersion, t.Kind)
		if err != nil {
			return nil, Reject(pluginsv1alpha1.ReasonTypeNotDeclared, "spec.forTypes[%d]: %v", i, err)
		}
		target := Target{GVK: gvk}
		if t.LabelSelector != nil {
			if target.Selector, err = metav1.LabelSelectorAsSelector(t.LabelSelector); err != nil {
				return nil, Reject(pluginsv1alpha1.ReasonTypeNotDeclared, "spec.forTypes[%d].labelSelector: %v", i, err)
			}
		}
		targets = append(targets, target)
	}
	return targets, nil
}

// ResolveTypes returns the kinds of the spec, which the module must declare, or all kinds that the module declares if
// the spec has none. The error is a *LoadError.
func ResolveTypes(asked []pluginsv1alpha1.ForType, declared []schema.GroupVersionKind) ([]Target, error) {
	targets, err := ParseForTypes(asked)
	if err != nil {
		return nil, err
	}
	if len(targets) == 0 {
		for _, gvk := range declared {
			targets = append(targets, Target{GVK: gvk})
		}
		return targets, nil
	}
	for _, t := range targets {
		if !slices.Contains(declared, t.GVK) {
			return nil, Reject(pluginsv1alpha1.ReasonTypeNotDeclared,
				"spec.forTypes asks for %s, but the module declares only %s: remove it, or use a module that has it", KindName(t.GVK), KindNames(declared))
		}
	}
	return targets, nil
}

// ParseOwns parses spec.owns. The error is a *LoadError.
func ParseOwns(owns []pluginsv1alpha1.TypeReference) ([]schema.GroupVersionKind, error) {
	var out []schema.GroupVersionKind
	for i, t := range owns {
		gvk, err := ParseType(t.APIVersion, t.Kind)
		if err != nil {
			return nil, Reject(pluginsv1alpha1.ReasonTypeNotDeclared, "spec.owns[%d]: %v", i, err)
		}
		out = append(out, gvk)
	}
	return out, nil
}

// KindName formats a kind as kubectl does: "Item.inventory.example.com".
func KindName(gvk schema.GroupVersionKind) string { return gvk.GroupKind().String() }

// KindNames formats kinds, separated by commas.
func KindNames(gvks []schema.GroupVersionKind) string {
	names := make([]string, len(gvks))
	for i, gvk := range gvks {
		names[i] = KindName(gvk)
	}
	return strings.Join(names, ",")
}

// CheckObjectSelector validates spec.admission.objectSelector. The error is a *LoadError.
func CheckObjectSelector(selector *metav1.LabelSelector) error {
	if _, err := metav1.LabelSelectorAsSelector(selector); err != nil {
		return Reject(pluginsv1alpha1.ReasonInvalidSelector, "spec.admission.objectSelector: %v", err)
	}
	return nil
}
