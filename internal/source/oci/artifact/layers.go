// SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"context"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// searchedLayer identifies a layer that was searched. The size is part of it, because the Reader rejects a wrong one.
type searchedLayer struct {
	digest digest.Digest
	size   int64
}

// place is a layer and its position.
type place struct {
	manifest ocispec.Descriptor
	document *document
	layer    ocispec.Descriptor
	// where names the layer in messages.
	where string
}

// layers searches the layers of a manifest.
func (s *search) layers(ctx context.Context, d ocispec.Descriptor, m *document, prefix string) error {
	if len(m.Layers) == 0 {
		s.findings = append(s.findings, finding{where: prefix + "the manifest", what: "has no layers", advice: pushModule})
	}
	for _, i := range order(m) {
		layer := m.Layers[i]
		where := fmt.Sprintf("%slayer %d (%s, %d bytes)", prefix, i+1, quote(layer.MediaType), layer.Size)
		decisive, err := s.layer(ctx, place{manifest: d, document: m, layer: layer, where: where})
		if err != nil {
			return err
		}
		if m.isImage() && decisive {
			break
		}
	}
	return nil
}

// order returns the indexes of a manifest's layers in the order in which they are searched, which the documentation of
// the package explains.
func order(m *document) []int {
	out := make([]int, len(m.Layers))
	for i := range out {
		out[i] = i
	}
	if m.isImage() {
		slices.Reverse(out)
		return out
	}
	turn := func(i int) int {
		if isWasm(m.Layers[i].MediaType) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(out, func(a, b int) int { return turn(a) - turn(b) })
	return out
}

// layer reads and searches a layer, once. It reports whether the layer is decisive for an image: an archive with a
// module or a program.
func (s *search) layer(ctx context.Context, p place) (decisive bool, err error) {
	key := searchedLayer{p.layer.Digest, p.layer.Size}
	if decisive, ok := s.searched[key]; ok {
		return decisive, nil
	}
	if f := s.limits.reject(p.layer); f != nil {
		s.note(p, f)
		return false, nil
	}
	s.limits.layers--
	s.limits.download -= p.layer.Size
	stored, err := s.reader.Read(ctx, p.layer, s.limits.layer)
	if err != nil {
		return false, fmt.Errorf("read layer %s: %w", p.layer.Digest, err)
	}
	files, f := s.scan(ctx, stored)
	if err := ctx.Err(); err != nil {
		return false, fmt.Errorf("search layer %s: %w", p.layer.Digest, err)
	}
	if f != nil {
		s.note(p, f)
		decisive = f.rank == rankProgram
	}
	for _, file := range files {
		s.add(p, file)
		decisive = decisive || file.name != ""
	}
	s.searched[key] = decisive
	return decisive, nil
}

// reject returns why a layer is not read, or nil.
func (l *limits) reject(d ocispec.Descriptor) *finding {
	switch {
	case d.Size == 0 || d.Digest == ocispec.DescriptorEmptyJSON.Digest:
		return &finding{what: "is empty", advice: pushModule}
	case d.Size > l.layer:
		return tooLarge("was not downloaded", l.module)
	case l.layers == 0:
		return &finding{what: fmt.Sprintf("was not searched, after %d other layers", maxLayers), advice: pushModule}
	case d.Size > l.download || l.uncompressed <= 0:
		return &finding{rank: rankTooLarge, what: "was not searched, because of the size of the layers before it", advice: pushModule}
	default:
		return nil
	}
}
