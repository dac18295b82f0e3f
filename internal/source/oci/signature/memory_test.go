// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// memory is a Repository in memory, with the mistakes and failures that a test wants.
type memory struct {
	contents  map[digest.Digest][]byte
	tags      map[string]ocispec.Descriptor
	referring []ocispec.Descriptor
	// failures are the errors of the calls with a tag or a digest, or with "referrers".
	failures map[string]error
	// reads are the sizes of what was to be read.
	reads []int64
	// after runs after each read.
	after func()
}

func newMemory() *memory {
	return &memory{contents: map[digest.Digest][]byte{}, tags: map[string]ocispec.Descriptor{}, failures: map[string]error{}}
}

func (m *memory) Resolve(_ context.Context, tag string) (ocispec.Descriptor, error) {
	if err := m.failures[tag]; err != nil {
		return ocispec.Descriptor{}, err
	}
	d, ok := m.tags[tag]
	if !ok {
		return d, fmt.Errorf("tag %q: %w", tag, ErrNotFound)
	}
	return d, nil
}

func (m *memory) Read(ctx context.Context, d ocispec.Descriptor, limit int64) ([]byte, error) {
	if m.after != nil {
		defer m.after()
	}
	m.reads = append(m.reads, d.Size)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := m.failures[d.Digest.String()]; err != nil {
		return nil, err
	}
	if d.Size > limit {
		return nil, fmt.Errorf("%d bytes are more than %d", d.Size, limit)
	}
	content, ok := m.contents[d.Digest]
	if !ok {
		return nil, fmt.Errorf("content %s: %w", d.Digest, ErrNotFound)
	}
	return content, nil
}

func (m *memory) Referrers(_ context.Context, _ ocispec.Descriptor, most int) ([]ocispec.Descriptor, error) {
	if err := m.failures["referrers"]; err != nil {
		return nil, err
	}
	return m.referring[:min(most, len(m.referring))], nil
}

// push stores a content and returns its descriptor.
func (m *memory) push(mediaType string, content []byte) ocispec.Descriptor {
	d := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(content), Size: int64(len(content))}
	m.contents[d.Digest] = content
	return d
}

// pushJSON stores the JSON of a value.
func (m *memory) pushJSON(t testing.TB, mediaType string, value any) ocispec.Descriptor {
	t.Helper()
	return m.push(mediaType, encode(t, value))
}

// artifact stores the manifest of an artifact.
func (m *memory) artifact(t testing.TB, name string) ocispec.Descriptor {
	t.Helper()
	return m.pushJSON(t, ocispec.MediaTypeImageManifest, ocispec.Manifest{
		MediaType: ocispec.MediaTypeImageManifest,
		Config:    ocispec.Descriptor{MediaType: "application/vnd.wasm.config.v0+json", Digest: digest.FromString("config"), Size: 6},
		Layers:    []ocispec.Descriptor{{MediaType: "application/wasm", Digest: digest.FromString(name), Size: int64(len(name))}},
	})
}

// attach stores signatures as cosign 2 does, in a manifest with the tag of the artifact's signatures.
func (m *memory) attach(t testing.TB, subject ocispec.Descriptor, layers ...ocispec.Descriptor) {
	t.Helper()
	m.tags["sha256-"+subject.Digest.Encoded()+".sig"] = m.pushJSON(t, ocispec.MediaTypeImageManifest,
		ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, Layers: layers})
}

// refer stores signatures in a manifest that refers to the artifact.
func (m *memory) refer(t testing.TB, subject ocispec.Descriptor, artifactType, predicate string, layers ...ocispec.Descriptor) {
	t.Helper()
	d := m.pushJSON(t, ocispec.MediaTypeImageManifest, ocispec.Manifest{
		MediaType: ocispec.MediaTypeImageManifest, ArtifactType: artifactType, Subject: &subject, Layers: layers,
	})
	d.ArtifactType = artifactType
	if predicate != "" {
		d.Annotations = map[string]string{annotationPredicate: predicate}
	}
	m.referring = append(m.referring, d)
}

func encode(t testing.TB, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
