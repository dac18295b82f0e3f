// SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"archive/tar"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// bomb is the number of bytes of content that exceeds the limits.
const bomb = 8 << 20

func TestFind_rejected(t *testing.T) {
	t.Parallel()
	type desc = ocispec.Descriptor
	wasm, another := module(1, 5000), module(2, 5000)
	inTar := archived(t, regular("plugin.wasm", wasm))
	oras := func(r *repository, content []byte) desc { return r.manifest(typeEmpty, r.blob(typeTar, content)) }
	list := func(n int, d desc) []desc {
		out := make([]desc, n)
		for i := range out {
			out[i] = d
		}
		return out
	}
	for _, tc := range []struct {
		name   string
		build  func(r *repository) desc
		reason string
		want   []string
		// maxBytes replaces limit.
		maxBytes int64
	}{
		{"not JSON", func(r *repository) desc {
			return r.blob(ocispec.MediaTypeImageManifest, []byte("<html>"))
		}, pluginsv1alpha1.ReasonInvalidManifest, []string{"the artifact's manifest sha256:", " cannot be read: push the artifact again"}, 0},
		{"another media type", func(r *repository) desc {
			return r.json("application/vnd.oci.artifact.manifest.v1+json", map[string]any{"schemaVersion": 2, "blobs": []desc{}})
		}, pluginsv1alpha1.ReasonInvalidManifest, []string{`"application/vnd.oci.artifact.manifest.v1+json", which is not that of a manifest`}, 0},
		{"schema 1", func(r *repository) desc {
			return r.json(typeDockerSigned1, map[string]any{"schemaVersion": 1, "fsLayers": []string{}})
		}, pluginsv1alpha1.ReasonInvalidManifest, []string{"a Docker manifest of schema 1", "current version"}, 0},
		{"another schema version", func(r *repository) desc {
			return r.json(ocispec.MediaTypeImageManifest, map[string]any{"layers": []desc{}})
		}, pluginsv1alpha1.ReasonInvalidManifest, []string{"schemaVersion 0, not 2"}, 0},
		{"manifest and index at once", func(r *repository) desc {
			return r.json(ocispec.MediaTypeImageManifest, map[string]any{"schemaVersion": 2, "layers": []desc{}, "manifests": []desc{}})
		}, pluginsv1alpha1.ReasonInvalidManifest, []string{"both layers and manifests"}, 0},
		{"index with the media type of a manifest", func(r *repository) desc {
			return r.json(ocispec.MediaTypeImageManifest, map[string]any{"schemaVersion": 2, "manifests": []desc{}})
		}, pluginsv1alpha1.ReasonInvalidManifest, []string{"does not have the content of its media type"}, 0},
		{"neither layers nor manifests", func(r *repository) desc {
			return r.json("", map[string]any{"schemaVersion": 2})
		}, pluginsv1alpha1.ReasonInvalidManifest, []string{"has neither layers nor manifests"}, 0},
		{"layers are not an array", func(r *repository) desc {
			return r.blob(ocispec.MediaTypeImageManifest, []byte(`{"schemaVersion":2,"layers":{`+"\n"+`"a":1}}`))
		}, pluginsv1alpha1.ReasonInvalidManifest, []string{`not an array: "{\n\"a\":1}"`}, 0},
		{"layer without a digest", func(r *repository) desc {
			return r.manifest(typeEmpty, desc{MediaType: typeWasm, Size: 10})
		}, pluginsv1alpha1.ReasonInvalidManifest, []string{`invalid descriptor (digest "":`}, 0},
		{"layer of a negative size", func(r *repository) desc {
			return r.manifest(typeEmpty, r.missing(typeWasm, -1))
		}, pluginsv1alpha1.ReasonInvalidManifest, []string{"size -1"}, 0},
		{"large manifest", func(r *repository) desc {
			return r.missing(ocispec.MediaTypeImageManifest, maxManifestBytes+1)
		}, pluginsv1alpha1.ReasonInvalidManifest, []string{"has 1048577 bytes"}, 0},
		{"many layers", func(r *repository) desc {
			return r.manifest(typeEmpty, list(maxDescriptors+1, r.blob(typeWasm, wasm))...)
		}, pluginsv1alpha1.ReasonInvalidManifest, []string{"more than 128 layers or manifests"}, 0},
		{"many manifests", func(r *repository) desc {
			return r.index(list(maxManifests, r.manifest(typeEmpty, r.blob(typeTar, []byte("text"))))...)
		}, pluginsv1alpha1.ReasonInvalidManifest, []string{"index of more than the 32 manifests", "name its platform"}, 0},
		{"indexes in each other", func(r *repository) desc {
			return r.index(r.index(r.index(oras(r, wasm))))
		}, pluginsv1alpha1.ReasonInvalidManifest, []string{"more than 2 indexes in each other"}, 0},

		{"no layers", func(r *repository) desc {
			return r.manifest(typeImage)
		}, pluginsv1alpha1.ReasonNoModule, []string{"the manifest has no layers: push the module's file, for example with `oras push"}, 0},
		{"empty layer", func(r *repository) desc {
			return r.manifest(typeEmpty, ocispec.DescriptorEmptyJSON, r.blob(typeWasm, nil))
		}, pluginsv1alpha1.ReasonNoModule, []string{`layer 1 ("application/vnd.oci.empty.v1+json", 2 bytes) is empty`, `layer 2 ("application/wasm", 0 bytes) is empty`}, 0},
		{"only attestations", func(r *repository) desc {
			return r.index(attestation(oras(r, wasm)))
		}, pluginsv1alpha1.ReasonNoModule, []string{"the index has no manifests of modules or images"}, 0},
		{"other data", func(r *repository) desc {
			return r.manifest("application/vnd.cncf.helm.config.v1+json", r.blob("application/vnd.cncf.helm.chart.content.v1.tar+gzip",
				zip(t, archived(t, regular("a/Chart.yaml", []byte("name: a")), regular("a/values.yaml", nil), regular("a/README.md", nil), regular("a/LICENSE", nil)))),
				r.blob("application/vnd.cncf.helm.chart.provenance.v1.prov", []byte("hello")), r.blob("a/b", []byte("\x01\x02")))
		}, pluginsv1alpha1.ReasonNoModule, []string{
			`layer 1 ("application/vnd.cncf.helm.chart.content.v1.tar+gzip", `, `holds an archive without a module ("a/Chart.yaml"; "a/values.yaml"; "a/README.md"; and 1 more); layer 2`,
			`holds text; layer 3 ("a/b", 2 bytes) holds data of an unknown kind: push the module's file`,
		}, 0},
		{"pointer to a module", func(r *repository) desc {
			return r.manifest(typeImage, r.blob(typeTar, archived(t, regular("a/plugin.wasm", []byte("version https://git-lfs.github.com/spec/v1\n")))))
		}, pluginsv1alpha1.ReasonNoModule, []string{`holds the file "a/plugin.wasm", a Git LFS pointer: run ` + "`git lfs pull`"}, 0},
		{"archive of nothing", func(r *repository) desc {
			return oras(r, make([]byte, 1024))
		}, pluginsv1alpha1.ReasonNoModule, []string{"holds an archive without files"}, 0},
		{"many findings", func(r *repository) desc {
			var layers []desc
			for i := range 20 {
				layers = append(layers, r.blob("text/plain", fmt.Append(nil, "text ", i)))
			}
			return r.manifest(typeEmpty, append(layers, r.blob("text/x", component))...)
		}, pluginsv1alpha1.ReasonNotWasm, []string{`core module: layer 21 ("text/x", 8 bytes) holds a WebAssembly component; layer 2 `, "and 16 more: build the plugin as a core module"}, 0},
		{"unknown entry", func(r *repository) desc {
			return r.index(r.missing("application/vnd.example+json", 10))
		}, pluginsv1alpha1.ReasonNoModule, []string{"manifest sha256:", `has the unknown media type "application/vnd.example+json"`}, 0},

		{"component", func(r *repository) desc {
			return r.manifest(typeCNCFConfig, r.blob(typeWasm, component))
		}, pluginsv1alpha1.ReasonNotWasm, []string{`layer 1 ("application/wasm", 8 bytes) holds a WebAssembly component: build the plugin as a core module`}, 0},
		{"component in an archive", func(r *repository) desc {
			return r.manifest(typeImage, r.blob(typeTarGzip, zip(t, archived(t, regular("app", program), regular("plugin.wasm", component)))))
		}, pluginsv1alpha1.ReasonNotWasm, []string{`holds the file "plugin.wasm", a WebAssembly component: build`}, 0},
		{"container image", func(r *repository) desc { // what is below the layer with the program is not read
			return r.docker(r.missing(typeDockerTar, 1000), r.blob(typeDockerTar, zip(t, archived(t, regular("bin/app", program)))))
		}, pluginsv1alpha1.ReasonNotWasm, []string{`holds the file "bin/app", a Linux program or library (ELF): build it for WebAssembly`}, 0},
		{"container image for several platforms", func(r *repository) desc {
			image := r.docker(r.missing(typeDockerTar, 1000), r.blob(typeDockerTar, zip(t, archived(t, regular("bin/app", program)))))
			return r.index(on(image, "linux", "amd64"), on(image, "linux", "arm64\n"))
		}, pluginsv1alpha1.ReasonNotWasm, []string{`(linux/amd64), layer 2 (`}, 0},
		{"large container image", func(r *repository) desc {
			return r.docker(r.missing(typeDockerTar, 2<<30), r.blob(typeDockerTar, zip(t, archived(t, regular("a.txt", []byte("a"))))))
		}, pluginsv1alpha1.ReasonModuleTooLarge, []string{`layer 1 ("application/vnd.docker.image.rootfs.diff.tar.gzip", 2147483648 bytes) was not downloaded, but the operator accepts modules of up to 1048576 bytes (--max-module-bytes)`}, 0},

		{"several layers", func(r *repository) desc {
			return r.manifest(typeEmpty, r.blob(typeWasm, wasm), r.blob(typeTar, zip(t, another)))
		}, pluginsv1alpha1.ReasonSeveralModules, []string{`more than one WebAssembly module: layer 1 ("application/wasm", 5000 bytes); layer 2 (`, "push each module in an artifact of its own"}, 0},
		{"several files", func(r *repository) desc {
			return r.manifest(typeImage, r.blob(typeTar, archived(t, regular("a.wasm", wasm), regular("lib/b.wasm", another))))
		}, pluginsv1alpha1.ReasonSeveralModules, []string{`file "a.wasm" in layer 1 (`, `; file "lib/b.wasm" in layer 1 (`}, 0},
		{"several manifests", func(r *repository) desc {
			return r.index(on(oras(r, wasm), "wasip1", "wasm"), on(oras(r, another), "wasi", "wasm"))
		}, pluginsv1alpha1.ReasonSeveralModules, []string{"(wasip1/wasm), layer 1", "(wasi/wasm), layer 1"}, 0},
		{"many files", func(r *repository) desc {
			var files []entry
			for i := range 20 {
				files = append(files, regular(fmt.Sprint(i, ".wasm"), module(byte(i), 100)))
			}
			return oras(r, archived(t, files...))
		}, pluginsv1alpha1.ReasonSeveralModules, []string{`file "4.wasm" in layer 1`, "; and 1 more: push"}, 0},

		{"layer too large", func(r *repository) desc {
			return r.manifest(typeCNCFConfig, r.missing(typeWasm, limit+besides+1))
		}, pluginsv1alpha1.ReasonModuleTooLarge, []string{"was not downloaded, but the operator accepts modules of up to 1048576 bytes", "build a smaller module"}, 0},
		{"module too large", func(r *repository) desc {
			return oras(r, module(1, limit+1))
		}, pluginsv1alpha1.ReasonModuleTooLarge, []string{"holds a larger module, but the operator"}, 0},
		{"module too large, compressed", func(r *repository) desc {
			return oras(r, zip(t, append([]byte("\x00asm\x01\x00\x00\x00"), make([]byte, bomb)...)))
		}, pluginsv1alpha1.ReasonModuleTooLarge, []string{"holds a larger module, but the operator"}, 0},
		{"module too large, in an archive", func(r *repository) desc {
			return oras(r, archived(t, regular("a.wasm", module(1, limit+1))))
		}, pluginsv1alpha1.ReasonModuleTooLarge, []string{`holds the file "a.wasm", whose module has 1048577 bytes, but the operator`}, 0},
		{"bomb", func(r *repository) desc {
			return oras(r, zip(t, archived(t, regular("a", make([]byte, bomb)), regular("a.wasm", wasm))))
		}, pluginsv1alpha1.ReasonModuleTooLarge, []string{"uncompresses to too many bytes, but the operator"}, 0},
		{"bomb of zstd", func(r *repository) desc {
			return oras(r, zstandard(t, archived(t, regular("a.wasm", wasm), regular("a", make([]byte, bomb)))))
		}, pluginsv1alpha1.ReasonModuleTooLarge, []string{"uncompresses to too many bytes, but the operator"}, 0},
		{"bomb behind an archive", func(r *repository) desc {
			return oras(r, zip(t, append(bytes.Clone(inTar), make([]byte, bomb)...)))
		}, pluginsv1alpha1.ReasonModuleTooLarge, []string{"uncompresses to too many bytes, but the operator"}, 0},
		{"several large layers", func(r *repository) desc {
			layer := func(seed byte) desc { return r.blob(typeOther, append([]byte{1}, module(seed, limit+besides-1)...)) }
			return r.manifest(typeEmpty, layer(1), layer(2), r.missing(typeTar, 1000))
		}, pluginsv1alpha1.ReasonModuleTooLarge, []string{`layer 3 ("application/vnd.oci.image.layer.v1.tar", 1000 bytes) was not searched, because of the size`}, 0},
		{"several bombs", func(r *repository) desc {
			layer := func(name string) desc {
				return r.blob(typeOther, zip(t, archived(t, regular(name, make([]byte, bomb)))))
			}
			return r.manifest(typeEmpty, layer("a"), layer("b"), r.missing(typeTar, 1000))
		}, pluginsv1alpha1.ReasonModuleTooLarge, []string{`layer 3 ("application/vnd.oci.image.layer.v1.tar", 1000 bytes) was not searched`}, 0},
		{"many layers in several manifests", func(r *repository) desc {
			var manifests []desc
			for i := range 3 {
				var layers []desc
				for n := range 100 {
					layers = append(layers, r.blob(typeOther, fmt.Append(nil, "text ", i, n)))
				}
				manifests = append(manifests, r.manifest(typeOther, layers...))
			}
			return r.index(manifests...)
		}, pluginsv1alpha1.ReasonNoModule, []string{"and 295 more"}, 0},

		{"truncated gzip", func(r *repository) desc {
			whole := zip(t, wasm)
			return oras(r, whole[:len(whole)/2])
		}, pluginsv1alpha1.ReasonInvalidCompression, []string{"cannot be uncompressed (gzip: unexpected EOF): build and push"}, 0},
		{"gzip header", func(r *repository) desc {
			return oras(r, []byte{0x1f, 0x8b, 8})
		}, pluginsv1alpha1.ReasonInvalidCompression, []string{"cannot be uncompressed (gzip: "}, 0},
		{"truncated zstd", func(r *repository) desc {
			whole := zstandard(t, wasm)
			return oras(r, whole[:len(whole)/2])
		}, pluginsv1alpha1.ReasonInvalidCompression, []string{"cannot be uncompressed (zstd: unexpected EOF)"}, 0},
		{"truncated tar+gzip", func(r *repository) desc {
			whole := zip(t, inTar)
			return oras(r, whole[:len(whole)/2])
		}, pluginsv1alpha1.ReasonInvalidCompression, []string{"cannot be uncompressed (gzip: unexpected EOF)"}, 0},
		{"tar+gzip without its checksum", func(r *repository) desc {
			whole := zip(t, inTar)
			return oras(r, whole[:len(whole)-4])
		}, pluginsv1alpha1.ReasonInvalidCompression, []string{"cannot be uncompressed (gzip: unexpected EOF)"}, 0},
		{"truncated tar", func(r *repository) desc {
			return oras(r, inTar[:3000])
		}, pluginsv1alpha1.ReasonInvalidArchive, []string{"holds an invalid tar archive (unexpected EOF)"}, 0},
		{"truncated tar, in a short file", func(r *repository) desc {
			return oras(r, zip(t, archived(t, regular("a", make([]byte, 900)))[:1200]))
		}, pluginsv1alpha1.ReasonInvalidArchive, []string{"holds an invalid tar archive (unexpected EOF)"}, 0},
		{"corrupt tar", func(r *repository) desc {
			return oras(r, append(archived(t, regular("a", nil))[:512], bytes.Repeat([]byte("x"), 1024)...))
		}, pluginsv1alpha1.ReasonInvalidArchive, []string{"invalid tar header"}, 0},
		{"name of a module twice", func(r *repository) desc {
			return oras(r, archived(t, regular("plugin.wasm", wasm), regular("./plugin.wasm", []byte("text"))))
		}, pluginsv1alpha1.ReasonInvalidArchive, []string{`has the file "plugin.wasm" twice: build`}, 0},
		{"name of a module twice, the other way", func(r *repository) desc {
			return oras(r, archived(t, regular("x/../plugin.wasm", []byte("text")), regular("/plugin.wasm", wasm)))
		}, pluginsv1alpha1.ReasonInvalidArchive, []string{`has the file "plugin.wasm" twice: build`}, 0},
		{"archive with many entries", func(r *repository) desc {
			one := entry{Header: tar.Header{Typeflag: tar.TypeDir, Name: "a/"}}
			entries := make([]entry, maxFiles+1)
			for i := range entries {
				entries[i] = one
			}
			return oras(r, zip(t, archived(t, append(entries, regular("plugin.wasm", wasm))...))) // 2 MiB
		}, pluginsv1alpha1.ReasonInvalidArchive, []string{"an archive of more than the 4096 files"}, 8 << 20},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newRepository(t)
			got, err := Find(t.Context(), r, tc.build(r), cmp.Or(tc.maxBytes, limit))
			var load *plugin.LoadError
			if !errors.As(err, &load) {
				t.Fatalf("got %d bytes, %v; want a LoadError", len(got.Module.Bytes), err)
			}
			if load.Reason != tc.reason {
				t.Errorf("the reason is %s, want %s: %v", load.Reason, tc.reason, err)
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the message is\n%v\nwant\n%s", err, want)
				}
			}
			if len(err.Error()) > 1500 || strings.ContainsAny(err.Error(), "\n\x00") || len(got.Module.Bytes) > 0 {
				t.Errorf("%d bytes and the message %q", len(got.Module.Bytes), err)
			}
		})
	}
}
