// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/k1s-io/k1s/internal/plugin"
)

// served is a plugin in the form in which requests look it up, or the remaining entry of a removed one.
type served struct {
	*Plugin

	// left is when the plugin was removed; no other field is set then.
	left time.Time

	runner  plugin.Runner
	targets map[schema.GroupVersionResource]*Target
	// selector is ObjectSelector.
	selector labels.Selector
}

func newServed(p *Plugin) *served {
	s := &served{
		Plugin: p, runner: retry{p.Runner, p.Timeout - withDeadline(p.Timeout)}, targets: map[schema.GroupVersionResource]*Target{}, selector: labels.Everything(),
	}
	for i := range p.Targets {
		s.targets[p.Targets[i].GVR] = &p.Targets[i]
	}
	if p.ObjectSelector != nil {
		// The API server has already rejected an invalid selector, and applies the selector to requests itself.
		if selector, err := metav1.LabelSelectorAsSelector(p.ObjectSelector); err == nil {
			s.selector = selector
		}
	}
	return s
}

// target returns the target of a request, by the resource and kind of the rule that matched, or nil.
func (s *served) target(gvr metav1.GroupVersionResource, kind metav1.GroupVersionKind) *Target {
	t := s.targets[schema.GroupVersionResource(gvr)]
	if t == nil || t.GVK != schema.GroupVersionKind(kind) {
		return nil
	}
	return t
}

// defaults reports whether the plugin can set defaults in an object of a kind.
func (s *served) defaults(kind schema.GroupKind, namespace string, object labels.Set) bool {
	if len(s.operations(mutating)) == 0 || !s.selector.Matches(object) {
		return false
	}
	for _, t := range s.targets {
		if t.GVK.GroupKind() == kind && t.Mutate.Has(namespace) {
			return true
		}
	}
	return false
}

// isRemoved reports whether a plugin was removed so long ago that the API server no longer sends requests for it.
func (s *served) isRemoved(now time.Time) bool { return !s.left.IsZero() && now.Sub(s.left) > linger }
