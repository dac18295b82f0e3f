// SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"archive/tar"
	"context"
	"errors"
	"math"
	"runtime"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/k1s-io/k1s/internal/plugin"
)

// TestFind_memory checks that what exceeds a limit takes no memory.
func TestFind_memory(t *testing.T) {
	r := newRepository(t)
	for name, content := range map[string][]byte{
		"module":   zip(t, append([]byte("\x00asm\x01\x00\x00\x00"), make([]byte, 3*bomb)...)),
		"archive":  zip(t, archived(t, regular("a.wasm", append([]byte("\x00asm\x01\x00\x00\x00"), make([]byte, 3*bomb)...)))),
		"manifest": nil,
	} {
		root := r.manifest(typeEmpty, r.blob(typeTar, content))
		if name == "manifest" { // 300,000 empty descriptors
			text := []byte(`{"schemaVersion":2,"layers":[`)
			for len(text) < maxManifestBytes-100 {
				text = append(text, "{},"...)
			}
			root = r.blob(ocispec.MediaTypeImageManifest, append(text, "{}]}"...))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Find(t.Context(), r, root, limit)
		runtime.ReadMemStats(&after)
		var load *plugin.LoadError
		if got := after.TotalAlloc - before.TotalAlloc; got > 2*bomb || !errors.As(err, &load) {
			t.Errorf("%s: %d bytes were allocated, %v", name, got, err)
		}
	}
}

// TestFind_sparse checks that the limits hold for files that are larger than their data.
func TestFind_sparse(t *testing.T) {
	t.Parallel()
	// The old GNU format: 8 bytes of data at the beginning, and 1 MiB - 8 of zeros. A Writer does not write it.
	sparse := func(name string) []byte {
		header := archived(t, regular(name, nil))[:512]
		header[156] = tar.TypeGNUSparse
		copy(header[124:], "00000000010\x00") // the size of the data
		copy(header[257:], "ustar  \x00")
		clear(header[386:512])
		copy(header[386:], "00000000000\x0000000000010\x00") // the offset and the size of a piece
		copy(header[483:], "00004000000\x00")                // the size of the file
		copy(header[148:156], "        ")
		sum := 0
		for _, b := range header {
			sum += int(b)
		}
		for i := 153; i >= 148; i-- {
			header[i], sum = '0'+byte(sum%8), sum/8
		}
		data := make([]byte, 512)
		copy(data, "\x00asm\x01\x00\x00\x00")
		return append(header, data...)
	}
	var all []byte
	for _, name := range []string{"a", "b", "c", "d"} {
		all = append(all, sparse(name)...)
	}
	a := archive{seen: map[string]bool{}, limits: limitsOf(limit)}
	tr := tar.NewReader(readFunc(func(p []byte) (int, error) { n := copy(p, all); all = all[n:]; return n, nil }))
	for i := range 3 {
		h, err := tr.Next()
		if err != nil || h.Size != limit {
			t.Fatalf("the fixture is not a sparse file: %+v, %v", h, err)
		}
		f := a.file(tr, h)
		if rejected := f != nil && f.rank == rankTooLarge; rejected != (i == 2) {
			t.Errorf("file %d: got %+v", i, f)
		}
	}
}

// TestLimits checks that no limit overflows.
func TestLimits(t *testing.T) {
	t.Parallel()
	for _, maxBytes := range []int64{math.MinInt64, 0, 1, math.MaxInt64} {
		l := limitsOf(maxBytes)
		if l.module < 0 || l.layer < l.module || l.download < l.layer || l.uncompressed < l.layer {
			t.Errorf("%d: got %+v", maxBytes, l)
		}
	}
}

// lenient is a Reader that returns the same manifest for every manifest, and the same layer for every layer, whatever
// their digests are. It records how much was read.
type lenient struct {
	manifest, layer  []byte
	manifests, bytes int64
	layers           int
	t                *testing.T
}

var errShort = errors.New("there are fewer bytes than that")

func (l *lenient) Read(_ context.Context, d ocispec.Descriptor, limit int64) ([]byte, error) {
	content := l.layer
	if isManifest(d.MediaType) || isIndex(d.MediaType) || l.manifests == 0 {
		content = l.manifest
		l.manifests++
	} else {
		l.layers++
		l.bytes += d.Size
	}
	switch {
	case d.Size < 0 || d.Size > limit || d.Digest.Validate() != nil:
		l.t.Errorf("read of %+v with the limit %d", d, limit)
	case d.Size > int64(len(content)):
		return nil, errShort
	}
	return content[:d.Size], nil
}

// FuzzFind searches arbitrary manifests and layers. It must not panic, never exceed the limits, and return only
// LoadErrors and the errors of the Reader.
func FuzzFind(f *testing.F) {
	const most = 4096
	wasm := module(1, 200)
	r := newRepository(f)
	for _, layer := range [][]byte{
		nil, wasm, component, program, zip(f, wasm), zstandard(f, wasm), archived(f, regular("plugin.wasm", wasm)),
		zip(f, archived(f, regular("a.wasm", wasm), regular("b.wasm", module(2, 200)))), zip(f, make([]byte, 5000)), []byte("text"),
	} {
		blob := r.blob(typeTar, layer)
		image := r.docker(blob)
		for _, root := range []ocispec.Descriptor{
			r.manifest(typeEmpty, blob), image, r.index(on(image, "linux", "amd64"), attestation(image)), r.index(on(image, "wasi", "wasm")),
		} {
			f.Add(r.content[root.Digest], layer)
		}
	}
	f.Add([]byte(`{"schemaVersion":1,"fsLayers":[]}`), []byte{})
	f.Add([]byte(`{"schemaVersion":2,"layers":null,"manifests":[{}]}`), []byte{})
	f.Fuzz(func(t *testing.T, manifest, layer []byte) {
		reader := &lenient{manifest: manifest, layer: layer, t: t}
		root := ocispec.Descriptor{Digest: digest.FromBytes(manifest), Size: int64(len(manifest))}
		got, err := Find(t.Context(), reader, root, most)
		var load *plugin.LoadError
		switch {
		case errors.As(err, &load):
			if load.Reason == "" || load.Message == "" || len(load.Message) > 4000 {
				t.Errorf("got %+v", load)
			}
		case err != nil && !errors.Is(err, errShort):
			t.Errorf("got %T: %v", err, err)
		case err == nil && (len(got.Module.Bytes) > most || got.Module.Digest != plugin.DigestOf(got.Module.Bytes) || got.Format == "" || got.Layer.Digest == ""):
			t.Errorf("got %+v", got)
		}
		if reader.manifests > maxManifests || reader.layers > maxLayers || reader.bytes > layersInAll*(most+besides) {
			t.Errorf("%d manifests, %d layers and %d bytes were read", reader.manifests, reader.layers, reader.bytes)
		}
	})
}
