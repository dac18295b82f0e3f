// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"
	"maps"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// unavailableError means that a plugin cannot be asked.
type unavailableError struct{ why string }

// Error implements error.
func (e *unavailableError) Error() string { return "the plugin " + e.why }

// unavailable runs the exports of a plugin that cannot be asked: all of them fail.
type unavailable struct {
	plugin.Runner // nil

	why string
}

// Call implements plugin.Runner.
func (u unavailable) Call(context.Context, plugin.Call) ([]byte, error) {
	return nil, &unavailableError{u.why}
}

// newUnavailable returns what answers for a plugin that cannot be asked. What its webhook configurations match is all
// that is known of it.
func newUnavailable(p *Plugin) *served {
	all := *p
	all.Exports = []string{abi.ExportValidateCreate, abi.ExportValidateUpdate, abi.ExportValidateDelete, abi.ExportSetDefaults}
	all.Targets = nil
	return &served{Plugin: &all, runner: unavailable{why: p.Unavailable}}
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
