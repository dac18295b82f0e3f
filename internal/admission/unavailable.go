// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"
	"fmt"
	"maps"

	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/k1s-io/k1s/internal/abi"
)

// unavailableError means that a plugin cannot be asked.
type unavailableError struct{ why string }

// Error implements error.
func (e *unavailableError) Error() string { return "the plugin " + e.why }

// newUnavailable returns what answers for a plugin that cannot be asked. What its webhook configurations match is all
// that is known of it.
func newUnavailable(p *Plugin) *served {
	all := *p
	all.Exports = []string{abi.ExportValidateCreate, abi.ExportValidateUpdate, abi.ExportValidateDelete, abi.ExportSetDefaults}
	all.Targets = nil
	return &served{Plugin: &all}
}

// unasked returns why a plugin cannot be asked about a request; nil if it can, or if the request is none of its business.
// A kind of the plugin's in another version or resource than it is for is one that the API server serves in another way
// since a moment, on the way to or from a plugin that cannot serve: it must not be let through unseen.
func (s *served) unasked(request *admissionv1.AdmissionRequest) error {
	if s.Plugin.Unavailable != "" {
		return &unavailableError{s.Plugin.Unavailable}
	}
	if s.target(request.Resource, request.Kind) != nil {
		return nil
	}
	for _, t := range s.targets {
		if t.GVK.Group == request.Kind.Group && t.GVK.Kind == request.Kind.Kind {
			return &unavailableError{fmt.Sprintf("is for %s in %s, and cannot be asked about %s in %s",
				t.GVR.Resource, t.GVR.Version, request.Resource.Resource, request.Resource.Version)}
		}
	}
	return nil
}

// matched is the target that a webhook's rule has matched.
func (q *question) matched() *Target {
	return &Target{
		GVK: schema.GroupVersionKind(q.Kind), GVR: schema.GroupVersionResource(q.Resource), Namespaced: q.Namespace != "" && !q.isNamespace(),
	}
}

// Unload ends a plugin's being asked, and leaves its requests to what Unavailable says about it.
func (s *Server) Unload(name types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := maps.Clone(*s.plugins.Load())
	delete(next, name)
	s.plugins.Store(&next)
	s.conflicts.forget(name)
}

// unloaded returns what answers for a plugin that is not loaded here, nil for one that nobody knows.
func (s *Server) unloaded(ctx context.Context, name types.NamespacedName) *served {
	if s.Unavailable == nil {
		return nil
	}
	p := s.Unavailable(ctx, name)
	if p == nil {
		return nil
	}
	return newUnavailable(p)
}
