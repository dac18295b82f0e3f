// SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"context"
	"fmt"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// search is the state of a search.
type search struct {
	reader Reader
	limits limits
	// keep is whether the first module keeps its bytes.
	keep bool
	// searched has the layers that were searched, and whether each is decisive.
	searched map[searchedLayer]bool
	modules  []candidate
	findings []finding
}

// candidate is a module. Only the first one of a search has its bytes, if they are wanted.
type candidate struct {
	Found
	// where completes "the artifact holds …".
	where string
}

// manifest searches a manifest or an index. The prefix names it in messages, and is empty for the root; depth is the
// number of indexes above it.
func (s *search) manifest(ctx context.Context, d ocispec.Descriptor, prefix string, depth int) error {
	m, err := s.read(ctx, d)
	if err != nil {
		return err
	}
	if m.Manifests == nil {
		return s.layers(ctx, d, m, prefix)
	}
	if depth == maxDepth {
		return plugin.Reject(pluginsv1alpha1.ReasonInvalidManifest,
			"the artifact is an index with more than %d indexes in each other: push the module's manifest, or an index of it", maxDepth)
	}
	return s.index(ctx, m, prefix, depth+1)
}

// read reads a manifest or an index.
func (s *search) read(ctx context.Context, d ocispec.Descriptor) (*document, error) {
	if err := checkDescriptor(d); err != nil {
		return nil, err
	}
	if d.Size > maxManifestBytes {
		return nil, plugin.Reject(pluginsv1alpha1.ReasonInvalidManifest,
			"the artifact's manifest %s has %d bytes, more than the %d that the operator accepts: push the module in an artifact of its own", short(d.Digest), d.Size, maxManifestBytes)
	}
	if s.limits.manifests == 0 {
		return nil, plugin.Reject(pluginsv1alpha1.ReasonInvalidManifest,
			"the artifact is an index of more than the %d manifests that the operator searches: push the module in an artifact of its own, or name its platform in the index", maxManifests)
	}
	s.limits.manifests--
	text, err := s.reader.Read(ctx, d, maxManifestBytes)
	if err != nil {
		return nil, fmt.Errorf("read manifest %s: %w", d.Digest, err)
	}
	return parse(text, d)
}

// add records a module. One that is known already counts once.
func (s *search) add(p place, f file) {
	isKnown := func(c candidate) bool { return c.Module.Digest == f.module.Digest }
	if len(s.modules) > maxListed || slices.ContainsFunc(s.modules, isKnown) { // more are not listed
		return
	}
	c := candidate{
		Found: Found{Format: formatOf(p.document, p.layer, f.name), Manifest: p.manifest, Layer: p.layer, Module: f.module},
		where: p.where,
	}
	c.Module.Origin = "layer " + p.layer.Digest.String()
	if f.name != "" {
		c.where = fmt.Sprintf("file %s in %s", quote(f.name), p.where)
		c.Module.Origin = fmt.Sprintf("file %s in layer %s", quote(f.name), p.layer.Digest)
	}
	if len(s.modules) > 0 || !s.keep {
		c.Module.Bytes = nil
	}
	s.modules = append(s.modules, c)
}

// result returns the only module, or the error of a search that found another number of them.
func (s *search) result() (Found, error) {
	switch len(s.modules) {
	case 0:
		return Found{}, s.noModule()
	case 1:
		return s.modules[0].Found, nil
	default:
		return Found{}, s.severalModules()
	}
}
