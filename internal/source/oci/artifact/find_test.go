// SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/k1s-io/k1s/internal/plugin"
)

// limit is the maximum size of a module in the tests, from which that of a layer follows.
const limit = 1 << 20

func TestFind(t *testing.T) {
	t.Parallel()
	wanted, another := module(1, 5000), module(2, 5000)
	inTar := archived(t, regular("plugin.wasm", wanted))
	type desc = ocispec.Descriptor
	for _, tc := range []struct {
		name, why string
		build     func(r *repository) desc
		format    Format
		file      string
		// maxBytes replaces limit.
		maxBytes int64
	}{
		{"CNCF", "the format of wkg", func(r *repository) desc {
			return r.manifest(typeCNCFConfig, r.blob(typeWasm, wanted))
		}, FormatCNCF, "", 0},
		{"Istio", "the layer of configuration is first", func(r *repository) desc {
			return r.manifest(typeOther, r.blob("application/vnd.module.wasm.config.v1+json", []byte("{}\n")), r.blob(typeIstioLayer, wanted))
		}, FormatIstio, "", 0},
		{"Istio compat, OCI", "built with buildah", func(r *repository) desc {
			return r.manifest(typeImage, r.blob(typeTarGzip, zip(t, archived(t, regular("./plugin.wasm", wanted), regular("runtime-config.json", []byte("{}"))))))
		}, FormatIstioCompat, "plugin.wasm", 0},
		{"Istio compat, Docker", "the base image is not downloaded", func(r *repository) desc {
			return r.docker(r.missing(typeDockerTar, 2<<30), r.missing(typeDockerTar, 1000), r.blob(typeDockerTar, zip(t, inTar)))
		}, FormatIstioCompat, "plugin.wasm", 0},
		{"Istio compat, annotated", "the file has another name", func(r *repository) desc {
			return r.json(ocispec.MediaTypeImageManifest, map[string]any{
				"schemaVersion": 2, "config": r.missing(typeImage, 100), "annotations": map[string]string{compatKey: "compat"},
				"layers": []desc{r.blob(typeTarGzip, zip(t, archived(t, regular("x.wasm", wanted))))},
			})
		}, FormatIstioCompat, "x.wasm", 0},
		{"Kubewarden", "the format of kwctl", func(r *repository) desc {
			return r.manifest("application/vnd.wasm.config.v1+json", r.blob(typeKubewardenLayer, wanted))
		}, FormatKubewarden, "", 0},
		{"oras", "a module with the media type of an archive", func(r *repository) desc {
			return r.manifest(typeEmpty, r.blob(typeTar, wanted))
		}, FormatArtifact, "", 0},
		{"oras, several files", "the others are not modules", func(r *repository) desc {
			return r.manifest(typeEmpty, r.blob(typeTar, []byte("# README")), r.blob(typeTar, wanted), r.blob(typeTar, []byte(`{}`)))
		}, FormatArtifact, "", 0},
		{"gzip", "a compressed module, whatever the media type is", func(r *repository) desc {
			return r.manifest(typeEmpty, r.blob(typeWasm, zip(t, wanted)))
		}, FormatArtifact, "", 0},
		{"zstd", "a compressed module, whatever the media type is", func(r *repository) desc {
			return r.manifest(typeEmpty, r.blob(typeTarGzip, zstandard(t, wanted)))
		}, FormatArtifact, "", 0},
		{"tar", "not compressed", func(r *repository) desc {
			return r.manifest(typeEmpty, r.blob("application/octet-stream", inTar))
		}, FormatIstioCompat, "plugin.wasm", 0},
		{"tar+zstd", "as buildah compresses if it is asked to", func(r *repository) desc {
			return r.manifest(typeImage, r.blob(typeTarZstd, zstandard(t, archived(t, regular("usr/lib/a.wasm", wanted)))))
		}, FormatImage, "usr/lib/a.wasm", 0},
		{"image of a module", "runwasi puts modules into images as layers", func(r *repository) desc {
			return r.manifest(typeImage, r.blob("application/vnd.w3c.wasm.module.v1+wasm", wanted))
		}, FormatImage, "", 0},
		{"COPY twice", "the last layer has no module", func(r *repository) desc {
			return r.docker(r.blob(typeDockerTar, zip(t, inTar)), r.blob(typeDockerTar, zip(t, archived(t, regular("runtime-config.json", []byte("{}"))))))
		}, FormatIstioCompat, "plugin.wasm", 0},
		{"module replaced", "the last layer counts, as in a container", func(r *repository) desc {
			return r.docker(r.blob(typeDockerTar, zip(t, archived(t, regular("plugin.wasm", another)))), r.blob(typeDockerTar, zip(t, inTar)))
		}, FormatIstioCompat, "plugin.wasm", 0},
		{"empty last layer", "Docker writes an archive without entries", func(r *repository) desc {
			return r.docker(r.blob(typeDockerTar, zip(t, inTar)), r.blob(typeDockerTar, zip(t, make([]byte, 1024))))
		}, FormatIstioCompat, "plugin.wasm", 0},
		{"other entries", "only regular files matter, and names are text", func(r *repository) desc {
			return r.manifest(typeImage, r.blob(typeTar, archived(t,
				entry{Header: tar.Header{Typeflag: tar.TypeDir, Name: "../"}},
				entry{Header: tar.Header{Typeflag: tar.TypeSymlink, Name: "link.wasm", Linkname: "/etc/passwd"}},
				entry{Header: tar.Header{Typeflag: tar.TypeLink, Name: "hard.wasm", Linkname: "plugin.wasm"}},
				entry{Header: tar.Header{Typeflag: tar.TypeFifo, Name: "fifo.wasm"}},
				entry{Header: tar.Header{Typeflag: tar.TypeChar, Name: "zero"}},
				regular("._a.wasm", []byte("\x00\x05\x16\x07")),
				regular("../../a\n.wasm", wanted),
			)))
		}, FormatImage, `a\n.wasm`, 0},
		{"old tar", "the first format has no magic number", func(r *repository) desc {
			old := bytes.Clone(inTar)
			sum := 0
			copy(old[257:265], make([]byte, 8)) // the magic number and the version
			copy(old[148:156], "        ")
			for _, b := range old[:512] {
				sum += int(b)
			}
			for i := 153; i >= 148; i-- {
				old[i], sum = '0'+byte(sum%8), sum/8
			}
			return r.manifest(typeEmpty, r.blob(typeTar, old))
		}, FormatIstioCompat, "plugin.wasm", 0},
		{"same layer twice", "it counts once", func(r *repository) desc {
			return r.manifest(typeEmpty, r.blob(typeTar, wanted), r.blob(typeWasm, wanted))
		}, FormatArtifact, "", 0},
		{"same module twice", "compressed and not, it is the same", func(r *repository) desc {
			return r.manifest(typeEmpty, r.blob(typeTar, wanted), r.blob(typeTar, zip(t, wanted)))
		}, FormatArtifact, "", 0},
		{"just at the limit", "the limit is in", func(r *repository) desc {
			return r.manifest(typeEmpty, r.blob(typeTar, wanted), r.missing(typeOther, 3<<20))
		}, FormatArtifact, "", 5000},
		{"no media type", "OCI does not require it", func(r *repository) desc {
			return r.json("", map[string]any{"schemaVersion": 2, "config": r.missing(typeEmpty, 2), "layers": []desc{r.blob("", wanted)}})
		}, FormatArtifact, "", 0},
		{"index for WebAssembly", "the images for processors are not read", func(r *repository) desc {
			return r.index(
				on(r.missing(ocispec.MediaTypeImageManifest, 500), "linux", "amd64"),
				on(r.manifest(typeCNCFConfig, r.blob(typeWasm, wanted)), "wasip1", "wasm"),
				attestation(r.missing(ocispec.MediaTypeImageManifest, 501)),
			)
		}, FormatCNCF, "", 0},
		{"index for wasm32", "an older name of the architecture", func(r *repository) desc {
			return r.index(on(r.missing(ocispec.MediaTypeImageManifest, 500), "linux", "arm64"), on(r.manifest(typeImage, r.blob(typeTar, inTar)), "wasi", "wasm32"))
		}, FormatIstioCompat, "plugin.wasm", 0},
		{"index for two versions of WASI", "the component is not for k1s", func(r *repository) desc {
			return r.index(on(r.manifest(typeCNCFConfig, r.blob(typeWasm, component)), "wasip2", "wasm"), on(r.manifest(typeCNCFConfig, r.blob(typeWasm, wanted)), "wasip1", "wasm"))
		}, FormatCNCF, "", 0},
		{"index of docker build", "the platform is that of the builder", func(r *repository) desc {
			return r.index(on(r.manifest(typeImage, r.blob(typeTarGzip, zip(t, inTar))), "linux", "amd64"), attestation(r.missing(ocispec.MediaTypeImageManifest, 500)))
		}, FormatIstioCompat, "plugin.wasm", 0},
		{"index of docker build for two platforms", "the same module in both", func(r *repository) desc {
			layer := r.blob(typeTarGzip, zip(t, inTar))
			return r.index(on(r.manifest(typeImage, layer), "linux", "amd64"), on(r.docker(layer), "linux", "arm64"))
		}, FormatIstioCompat, "plugin.wasm", 0},
		{"manifest list of Docker", "an index of another name", func(r *repository) desc {
			return r.json(typeDockerList, map[string]any{"schemaVersion": 2, "mediaType": typeDockerList, "manifests": []desc{
				on(r.docker(r.blob(typeDockerTar, zip(t, archived(t, regular("bin/app", program))))), "linux", "amd64"),
				on(r.docker(r.blob(typeDockerTar, zip(t, inTar))), "linux", "s390x"),
			}})
		}, FormatIstioCompat, "plugin.wasm", 0},
		{"index in an index", "one level is supported", func(r *repository) desc {
			return r.index(r.index(r.manifest(typeEmpty, r.blob(typeTar, wanted))))
		}, FormatArtifact, "", 0},
		{"unknown entries of an index", "they are not read", func(r *repository) desc {
			return r.index(r.missing("application/vnd.example+json", 10), r.manifest(typeEmpty, r.blob(typeTar, wanted)))
		}, FormatArtifact, "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newRepository(t)
			root := tc.build(r)
			got, err := Find(t.Context(), r, root, cmp.Or(tc.maxBytes, limit))
			if err != nil {
				t.Fatalf("%s: %v", tc.why, err)
			}
			if !bytes.Equal(got.Module.Bytes, wanted) || got.Module.Digest != plugin.DigestOf(wanted) {
				t.Errorf("%s: got another module of %d bytes", tc.why, len(got.Module.Bytes))
			}
			if got.Format != tc.format {
				t.Errorf("the format is %q, want %q", got.Format, tc.format)
			}
			origin := "layer " + got.Layer.Digest.String()
			if tc.file != "" {
				origin = `file "` + tc.file + `" in ` + origin
			}
			if got.Module.Origin != origin {
				t.Errorf("the origin is %q, want %q", got.Module.Origin, origin)
			}
			if !slices.Contains(r.read, got.Manifest.Digest) || !slices.Contains(r.read, got.Layer.Digest) || r.read[0] != root.Digest {
				t.Errorf("got manifest %s and layer %s, but read %s", got.Manifest.Digest, got.Layer.Digest, r.read)
			}
		})
	}
}

// TestFind_order checks that a layer of WebAssembly is read before others.
func TestFind_order(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	readme, wasm := r.blob("text/markdown", []byte("# A")), r.blob(typeWasm, module(1, 100))
	root := r.manifest(typeOther, readme, wasm)
	if _, err := Find(t.Context(), r, root, limit); err != nil {
		t.Fatal(err)
	}
	if want := []string{root.Digest.String(), wasm.Digest.String(), readme.Digest.String()}; len(r.read) != 3 || r.read[1] != wasm.Digest {
		t.Errorf("read %s, want %s", r.read, want)
	}
}

type registryError struct{}

func (registryError) Error() string { return "the registry answered 503" }

// TestFind_readerErrors checks that the errors of the Reader are not those of the artifact.
func TestFind_readerErrors(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	layer := r.blob(typeTar, module(1, 100))
	manifest := r.manifest(typeEmpty, layer)
	root := r.index(manifest)
	for _, d := range []ocispec.Descriptor{root, manifest, layer} {
		clear(r.fail)
		r.fail[d.Digest] = registryError{}
		_, err := Find(t.Context(), r, root, limit)
		var registry registryError
		var load *plugin.LoadError
		if !errors.As(err, &registry) || errors.As(err, &load) || !strings.Contains(err.Error(), d.Digest.String()) {
			t.Errorf("%s fails: got %v", d.MediaType, err)
		}
	}
}

// canceling is a Reader that cancels the context after a blob was read.
type canceling struct {
	*repository
	cancel context.CancelFunc
}

func (c canceling) Read(ctx context.Context, d ocispec.Descriptor, limit int64) ([]byte, error) {
	if !isManifest(d.MediaType) {
		c.cancel()
	}
	return c.repository.Read(ctx, d, limit)
}

// TestFind_canceled checks that the search of a layer ends with the context, without blaming the layer.
func TestFind_canceled(t *testing.T) {
	t.Parallel()
	for name, layer := range map[string][]byte{
		"archive":    zip(t, archived(t, regular("a", make([]byte, 1<<19)), regular("plugin.wasm", module(1, 100)))),
		"compressed": zip(t, module(1, 100)),
		"raw":        module(1, 100),
		"text":       []byte("text"),
	} {
		r := newRepository(t)
		ctx, cancel := context.WithCancel(t.Context())
		_, err := Find(ctx, canceling{r, cancel}, r.manifest(typeEmpty, r.blob(typeTar, layer)), limit)
		var load *plugin.LoadError
		if !errors.Is(err, context.Canceled) || errors.As(err, &load) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
