// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/source/oci/dockerconfig"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/registry/faults"
)

// TestSource_slowLayers shows that pulls which wait for a registry keep nothing of the layers that they have searched,
// however well these were compressed.
func TestSource_slowLayers(t *testing.T) { //nolint:paralleltest // it measures the memory of the process
	const size, namespaces = 16 << 20, 8
	var small bytes.Buffer
	w := gzip.NewWriter(&small)
	if _, err := w.Write(wasm(strings.Repeat("\x00", size-8))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, rigOptions{options: func(o *Options) { o.MaxBytes = size }})
	second := wasm("second")
	var h hanging
	r.proxy.Set(faults.On(http.MethodGet, "/blobs/"+digest.FromBytes(second).String(), h.fault))
	before := heap()
	for i := range namespaces {
		name := fmt.Sprint("slow", i)
		r.registry.PushLayers(t, name, "v1", ocispec.Descriptor{MediaType: "application/wasm"}, small.Bytes(), second)
		_, _ = r.Fetch(t.Context(), request(name, r.proxy.Address()+"/"+name+":v1")) // it starts the pull
	}
	h.expect(t, namespaces)
	if grown := heap() - before; grown > 2*size {
		t.Errorf("%d pulls of layers that hold %d bytes keep %d", namespaces, size, grown)
	}
}

// heap returns the bytes of the heap that are in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestSource_pins shows that a pull which fails, or whose plugin is gone, keeps nothing in the cache.
func TestSource_pins(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{})
	text := []byte("this is not a module")
	r.registry.Push(t, "text", "v1", text)
	blob := func(content []byte) string {
		return filepath.Join(r.dir, "oci-blobs-1", digest.FromBytes(content).Encoded())
	}
	expect := func(what string, content []byte, want bool) {
		t.Helper()
		if got := r.puller.cache.Pinned()[blob(content)]; got != want {
			t.Errorf("%s: it is pinned: %t, want %t", what, got, want)
		}
	}
	other := request("n", r.proxy.Address()+"/text:v1")
	other.Plugin.Name = "other"
	r.reject(t, other, pluginsv1alpha1.ReasonNoModule)
	expect("an artifact without a module", text, false)

	r.expect(t, r.request, r.module)
	expect("a module that is used", r.module, true)
	r.proxy.Set(faults.On(http.MethodGet, "/blobs/", func(w http.ResponseWriter, req *http.Request, next http.Handler) {
		r.Forget(other.Plugin)
		next.ServeHTTP(w, req)
	}))
	late := wasm("late")
	r.registry.Push(t, "late", "v1", late)
	other.Source.Reference = r.proxy.Address() + "/late:v1"
	_, _ = r.Fetch(t.Context(), other) // it starts the pull
	testenv.Eventually(t, "the pull downloads", func(context.Context) error {
		if r.proxy.Count(http.MethodGet, "/late/blobs/") == 0 {
			return errors.New("it does not")
		}
		return nil
	})
	r.end()
	expect("a plugin that was deleted during its pull", late, false)
	expect("a module that is used", r.module, true)
	r.Forget(r.request.Plugin)
	expect("a plugin that was deleted", r.module, false)
}

// TestSession_search shows that one layer is searched at a time, also of those that the cache has, whatever its media type,
// and that a reader which goes on to other content makes room for the next one.
func TestSession_search(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{})
	layer := ocispec.Descriptor{MediaType: "application/wasm", Digest: digest.FromBytes(r.module), Size: int64(len(r.module))}
	open := func() *session {
		j, err := r.job(r.request)
		if err != nil {
			t.Fatal(err)
		}
		j.access.now, j.access.throttled = r.clock.Now, func(time.Duration) {}
		from, err := r.puller.registries.open(j.reference, j.access, dockerconfig.Credential{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(from.close)
		return &session{
			cache: r.puller.cache, scope: openScope(r.puller.cache, "test"), pulls: r.puller.pulls, clock: r.clock, account: &account{},
			repository: from, place: j.reference.Name(), registry: j.reference.Registry,
		}
	}
	first, second := open(), open()
	if _, err := first.Read(t.Context(), layer, maxBytes); err != nil {
		t.Fatal(err)
	}
	for _, mediaType := range []string{layer.MediaType, ocispec.MediaTypeImageManifest} {
		short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		like := layer
		like.MediaType = mediaType
		if _, err := second.Read(short, like, maxBytes); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a second layer, %s, is searched beside the first one: %v", mediaType, err)
		}
		cancel()
		second.close()
	}
	if _, err := first.Read(t.Context(), layer, maxBytes); err != nil { // it is a layer as well
		t.Fatal(err)
	}
	first.close()
	if _, err := second.Read(t.Context(), layer, maxBytes); err != nil {
		t.Errorf("after the first one: %v", err)
	}
	second.close()
}
