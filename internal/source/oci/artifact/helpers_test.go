// SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// repository is a Reader of content in memory.
type repository struct {
	t       testing.TB
	content map[digest.Digest][]byte
	// read has the digests that were read, in order.
	read []digest.Digest
	// fail has the errors of Read.
	fail map[digest.Digest]error
}

func newRepository(t testing.TB) *repository {
	return &repository{t: t, content: map[digest.Digest][]byte{}, fail: map[digest.Digest]error{}}
}

// Read implements Reader.
func (r *repository) Read(_ context.Context, d ocispec.Descriptor, limit int64) ([]byte, error) {
	r.read = append(r.read, d.Digest)
	content, ok := r.content[d.Digest]
	switch {
	case r.fail[d.Digest] != nil:
		return nil, r.fail[d.Digest]
	case d.Size > limit:
		return nil, fmt.Errorf("%s has %d bytes, more than %d", d.Digest, d.Size, limit)
	case !ok:
		return nil, fmt.Errorf("%s does not exist", d.Digest)
	case int64(len(content)) != d.Size:
		return nil, fmt.Errorf("%s has %d bytes, not %d", d.Digest, len(content), d.Size)
	}
	return slices.Clone(content), nil
}

// blob stores content and returns its descriptor.
func (r *repository) blob(mediaType string, content []byte) ocispec.Descriptor {
	d := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(content), Size: int64(len(content))}
	r.content[d.Digest] = content
	return d
}

// missing returns the descriptor of content that cannot be read.
func (r *repository) missing(mediaType string, size int64) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromString(fmt.Sprint(mediaType, size)), Size: size}
}

// json stores a document.
func (r *repository) json(mediaType string, v any) ocispec.Descriptor {
	r.t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.blob(mediaType, text)
}

// manifest stores an OCI manifest, whose config does not exist.
func (r *repository) manifest(config string, layers ...ocispec.Descriptor) ocispec.Descriptor {
	return r.json(ocispec.MediaTypeImageManifest, map[string]any{
		"schemaVersion": 2, "mediaType": ocispec.MediaTypeImageManifest, "config": r.missing(config, 100), "layers": layers,
	})
}

// docker stores a Docker image.
func (r *repository) docker(layers ...ocispec.Descriptor) ocispec.Descriptor {
	return r.json(typeDockerManifest, map[string]any{
		"schemaVersion": 2, "mediaType": typeDockerManifest, "config": r.missing(typeDockerConfig, 100), "layers": layers,
	})
}

// index stores an OCI index.
func (r *repository) index(manifests ...ocispec.Descriptor) ocispec.Descriptor {
	return r.json(ocispec.MediaTypeImageIndex, map[string]any{
		"schemaVersion": 2, "mediaType": ocispec.MediaTypeImageIndex, "manifests": manifests,
	})
}

// on adds a platform to a manifest.
func on(d ocispec.Descriptor, os, architecture string) ocispec.Descriptor {
	d.Platform = &ocispec.Platform{OS: os, Architecture: architecture}
	return d
}

// attestation adds what BuildKit adds to an attestation.
func attestation(d ocispec.Descriptor) ocispec.Descriptor {
	d = on(d, "unknown", "unknown")
	d.Annotations = map[string]string{referenceKey: "attestation-manifest"}
	return d
}

const (
	typeTar       = ocispec.MediaTypeImageLayer
	typeTarGzip   = ocispec.MediaTypeImageLayerGzip
	typeTarZstd   = ocispec.MediaTypeImageLayerZstd
	typeDockerTar = "application/vnd.docker.image.rootfs.diff.tar.gzip"
	typeImage     = ocispec.MediaTypeImageConfig
	typeEmpty     = ocispec.MediaTypeEmptyJSON
	typeWasm      = "application/wasm"
	typeOther     = "application/vnd.example.config.v1+json"
)

var (
	component = []byte("\x00asm\x0d\x00\x01\x00")
	program   = []byte("\x7fELF\x02\x01\x01\x00 and so on")
)

// module returns a module of the given size, which hardly compresses and differs by seed.
func module(seed byte, size int) []byte {
	r := rand.NewChaCha8([32]byte{seed})
	out := make([]byte, size)
	_, _ = r.Read(out) // it never fails
	copy(out, "\x00asm\x01\x00\x00\x00")
	return out
}

func zip(t testing.TB, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(content)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstandard(t testing.TB, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(content)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// regular is the header of a regular file.
func regular(name string, content []byte) entry {
	return entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(content))}, content}
}

// entry is an entry of an archive.
type entry struct {
	tar.Header
	content []byte
}

// archived returns a tar archive.
func archived(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		err := w.WriteHeader(&e.Header)
		if _, more := w.Write(e.content); errors.Join(err, more) != nil {
			t.Fatal(err, more)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
