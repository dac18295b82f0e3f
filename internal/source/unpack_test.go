// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/klauspost/compress/zstd"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

const (
	limit    = 1 << 20
	bombSize = 24 << 20
)

func zip(t testing.TB, module []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(module)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstandard(t testing.TB, module []byte, options ...zstd.EOption) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out, options...)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(w, bytes.NewReader(module))
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// noise returns a module that hardly compresses.
func noise(size int) []byte {
	r := rand.NewChaCha8([32]byte{1})
	out := make([]byte, size)
	_, _ = r.Read(out) // it never fails
	return append([]byte("\x00asm\x01\x00\x00\x00"), out...)
}

func TestUnpack(t *testing.T) {
	t.Parallel()
	module := noise(100_000)
	full := make([]byte, limit)
	cases := []struct {
		name, why string
		stored    []byte
		want      []byte
	}{
		{"raw", "nothing to do", module, module},
		{"gzip", "told by its first bytes", zip(t, module), module},
		{"zstd", "told by its first bytes", zstandard(t, module), module},
		{"zstd, best", "as small as ConfigMaps need it", zstandard(t, module, zstd.WithEncoderLevel(zstd.SpeedBestCompression)), module},
		{"gzip in two members", "RFC 1952 has them follow each other", append(zip(t, module[:50]), zip(t, module[50:])...), module},
		{"zstd in two frames", "RFC 8878 too", append(zstandard(t, module[:50]), zstandard(t, module[50:])...), module},
		{"raw, just at the limit", "the limit is in", full, full},
		{"gzip, just at the limit", "the limit is in", zip(t, full), full},
		{"zstd, just at the limit", "the limit is in", zstandard(t, full), full},
		{"empty", "the engine says that it is no module", nil, nil},
		{"gzip of nothing", "the same", zip(t, nil), nil},
		{"gzip in gzip", "only what is asked for is undone", zip(t, zip(t, module)), zip(t, module)},
		{"one byte of gzip", "it is taken as it is", []byte{0x1f}, []byte{0x1f}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := Unpack(c.stored, limit)
			if err != nil || !bytes.Equal(got.Bytes, c.want) || got.Digest != plugin.DigestOf(c.want) {
				t.Errorf("%s: got %d bytes, %v; want %d", c.why, len(got.Bytes), err, len(c.want))
			}
		})
	}
}

func TestUnpack_rejected(t *testing.T) {
	t.Parallel()
	module := noise(100_000)
	bomb := make([]byte, bombSize)
	changed := func(stored []byte, at int) []byte {
		out := bytes.Clone(stored)
		out[at] ^= 0xff
		return out
	}
	cases := []struct {
		name, why string
		stored    []byte
		reason    string
	}{
		{"gzip, header only", "there is nothing behind it", []byte{0x1f, 0x8b}, pluginsv1alpha1.ReasonInvalidCompression},
		{"gzip, truncated", "half a module is none", zip(t, module)[:50_000], pluginsv1alpha1.ReasonInvalidCompression},
		{"gzip, without its checksum", "nor is an unchecked one", zip(t, module)[:len(zip(t, module))-4], pluginsv1alpha1.ReasonInvalidCompression},
		{"gzip, corrupt", "the checksum finds it", changed(zip(t, module), 60_000), pluginsv1alpha1.ReasonInvalidCompression},
		{"gzip, rubbish behind it", "something went wrong when it was stored", append(zip(t, module), "rubbish"...), pluginsv1alpha1.ReasonInvalidCompression},
		{"zstd, header only", "there is nothing behind it", zstdMagic, pluginsv1alpha1.ReasonInvalidCompression},
		{"zstd, truncated", "half a module is none", zstandard(t, module)[:50_000], pluginsv1alpha1.ReasonInvalidCompression},
		{"zstd, corrupt", "the checksum finds it", changed(zstandard(t, module), 60_000), pluginsv1alpha1.ReasonInvalidCompression},
		{"zstd, rubbish behind it", "something went wrong when it was stored", append(zstandard(t, module), "rubbish"...), pluginsv1alpha1.ReasonInvalidCompression},
		{"raw, above the limit", "one byte is too much", make([]byte, limit+1), pluginsv1alpha1.ReasonModuleTooLarge},
		{"gzip, above the limit", "what counts is what comes out", zip(t, make([]byte, limit+1)), pluginsv1alpha1.ReasonModuleTooLarge},
		{"zstd, above the limit", "what counts is what comes out", zstandard(t, make([]byte, limit+1)), pluginsv1alpha1.ReasonModuleTooLarge},
		{"gzip bomb", "it is not read to its end", zip(t, bomb), pluginsv1alpha1.ReasonModuleTooLarge},
		{"zstd bomb", "it is not read to its end", zstandard(t, bomb), pluginsv1alpha1.ReasonModuleTooLarge},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := Unpack(c.stored, limit)
			var load *plugin.LoadError
			if !errors.As(err, &load) || load.Reason != c.reason || len(got.Bytes) > 0 {
				t.Errorf("%s: got %d bytes, %v; want reason %s", c.why, len(got.Bytes), err, c.reason)
			}
		})
	}
}

// TestUnpack_bombMemory checks that data that is not read takes no memory.
func TestUnpack_bombMemory(t *testing.T) {
	bomb := make([]byte, bombSize)
	for name, stored := range map[string][]byte{"gzip": zip(t, bomb), "zstd": zstandard(t, bomb)} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = Unpack(stored, limit)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > bombSize {
			t.Errorf("%s: %d bytes were allocated for a limit of %d", name, got, limit)
		}
	}
}

// FuzzUnpack unpacks arbitrary data. It must not panic, never exceed the limit, and return only LoadErrors.
func FuzzUnpack(f *testing.F) {
	module := noise(200)
	for _, stored := range [][]byte{nil, module, zip(f, module), zstandard(f, module), zip(f, make([]byte, 5000)), zstandard(f, make([]byte, 5000)), gzipMagic, zstdMagic} {
		f.Add(stored)
	}
	f.Fuzz(func(t *testing.T, stored []byte) {
		const most = 4096
		got, err := Unpack(stored, most)
		var load *plugin.LoadError
		switch {
		case err != nil && !errors.As(err, &load):
			t.Errorf("got %T: %v", err, err)
		case err == nil && (len(got.Bytes) > most || got.Digest != plugin.DigestOf(got.Bytes)):
			t.Errorf("got %d bytes with the digest %s", len(got.Bytes), got.Digest)
		}
	})
}
