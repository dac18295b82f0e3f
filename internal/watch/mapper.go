// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// mapper is a RESTMapper that has only the mappings that it is given. Package kinds resolves how a kind is served and
// follows its changes, and the mapping arrives here with a Spec. A mapper that looked kinds up by itself would cache
// another answer.
type mapper struct {
	meta.RESTMapper // nil: a cache only asks for the mapping of a kind in a version

	mu       sync.Mutex
	mappings map[schema.GroupVersionKind]*meta.RESTMapping
}

func (g *mapper) set(mapping *meta.RESTMapping) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mappings[mapping.GroupVersionKind] = mapping
}

func (g *mapper) forget(gvk schema.GroupVersionKind) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.mappings, gvk)
}

// RESTMapping implements meta.RESTMapper.
func (g *mapper) RESTMapping(gk schema.GroupKind, versions ...string) (*meta.RESTMapping, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, version := range versions {
		if m := g.mappings[gk.WithVersion(version)]; m != nil {
			return m, nil
		}
	}
	return nil, &meta.NoKindMatchError{GroupKind: gk, SearchedVersions: versions}
}
