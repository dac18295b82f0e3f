// SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"context"
	"fmt"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/k1s-io/k1s/internal/text"
)

// referenceKey is the annotation with which BuildKit marks the manifests of attestations in an index.
const referenceKey = "vnd.docker.reference.type"

// index searches the manifests in an index.
func (s *search) index(ctx context.Context, m *document, prefix string, depth int) error {
	entries := entriesOf(m)
	if len(entries) == 0 {
		s.findings = append(s.findings, finding{where: prefix + "the index", what: "has no manifests of modules or images", advice: pushModule})
	}
	for _, d := range entries {
		name := prefix + "manifest " + nameOf(d)
		if !isManifest(d.MediaType) && !isIndex(d.MediaType) {
			s.findings = append(s.findings, finding{where: name, what: "has the unknown media type " + quote(d.MediaType), advice: pushModule})
			continue
		}
		if err := s.manifest(ctx, d, name+", ", depth); err != nil {
			return err
		}
	}
	return nil
}

// entriesOf returns the manifests of an index that are searched: those for WebAssembly if there are any, otherwise all
// except for attestations.
func entriesOf(m *document) []ocispec.Descriptor {
	var all, wasm []ocispec.Descriptor
	for _, d := range m.Manifests {
		if d.Annotations[referenceKey] != "" {
			continue
		}
		all = append(all, d)
		if p := d.Platform; p != nil && (p.Architecture == "wasm" || p.Architecture == "wasm32") {
			wasm = append(wasm, d)
		}
	}
	if len(wasm) > 0 {
		return wasm
	}
	return all
}

// maxPlatform is the maximum number of bytes that a message shows of a platform.
const maxPlatform = 40

// nameOf returns the name of a manifest in messages.
func nameOf(d ocispec.Descriptor) string {
	name := short(d.Digest)
	if d.Platform == nil {
		return name
	}
	return fmt.Sprintf("%s (%s)", name, text.Truncate(text.Printable(d.Platform.OS+"/"+d.Platform.Architecture), maxPlatform))
}
