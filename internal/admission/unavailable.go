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

// unavailableError means that a plugin cannot be called.
type unavailableError struct{ why string }

// Error implements error.
func (e *unavailableError) Error() string { return "the plugin " + e.why }

// newUnavailable returns the entry for a plugin that cannot be called. Its exports and targets are not known, so that
// every request that its webhook configurations match is for it.
func newUnavailable(p *Plugin) *served {
	all := *p
	all.Exports = []string{abi.ExportValidateCreate, abi.ExportValidateUpdate, abi.ExportValidateDelete, abi.ExportSetDefaults}
	all.Targets = nil
	return &served{Plugin: &all}
}

// unasked returns why a plugin cannot be called for a request. It returns nil if the plugin can be called, or if the
// request is not for it. If the kind is the plugin's, but in another version or resource, the API server has just begun
// to serve the kind in another way, or the plugin has just become able or unable to serve. Such a request must not be
// allowed without a check.
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

// matched returns the target that a webhook's rule has matched.
func (q *operation) matched() *Target {
	return &Target{
		GVK: schema.GroupVersionKind(q.Kind), GVR: schema.GroupVersionResource(q.Resource), Namespaced: q.Namespace != "" && !q.isNamespace(),
	}
}

// Unload stops calling a plugin. Unavailable then decides about its requests.
func (s *Server) Unload(name types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := maps.Clone(*s.plugins.Load())
	delete(next, name)
	s.plugins.Store(&next)
	s.conflicts.forget(name)
}

// unloaded returns the entry for a plugin that this replica has not loaded, or nil if the plugin does not exist.
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
