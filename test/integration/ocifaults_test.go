// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv/registry"
	"github.com/k1s-io/k1s/internal/testenv/registry/faults"
)

// byRepository uses the fault of the repository that a request names.
func byRepository(of map[string]faults.Fault) faults.Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		repository, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), "/")
		if f := of[repository]; f != nil {
			f(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	}
}

// TestOperator_oci_faults breaks what a registry sends while plugins are moved to a new artifact: the condition says what
// happened, the previous revision keeps serving, and the next attempt succeeds.
func TestOperator_oci_faults(t *testing.T) {
	const blobs, manifests = "/blobs/", "/manifests/"
	flip := faults.Edited(func(_ http.Header, body []byte) []byte {
		body[len(body)/2] ^= 1
		return body
	})
	shorten := faults.Edited(func(h http.Header, body []byte) []byte {
		h.Del("Content-Length")
		return body[:len(body)/2]
	})
	of := map[string]faults.Fault{
		"broken":   faults.On(http.MethodGet, blobs, faults.Half(func(*http.Request) { panic(http.ErrAbortHandler) })),
		"flipped":  faults.On(http.MethodGet, blobs, flip),
		"short":    faults.On(http.MethodGet, blobs, shorten),
		"manifest": faults.On(http.MethodGet, manifests, flip),
		"failing":  faults.On(http.MethodGet, blobs, faults.Status(http.StatusInternalServerError)),
		"busy":     faults.Status(http.StatusTooManyRequests, "Retry-After", "1"),
		"denied":   faults.Status(http.StatusForbidden),
	}
	reasons := map[string]string{
		"broken": pluginsv1alpha1.ReasonRegistryUnavailable, "flipped": pluginsv1alpha1.ReasonArtifactCorrupt,
		"short": pluginsv1alpha1.ReasonArtifactCorrupt, "manifest": pluginsv1alpha1.ReasonArtifactCorrupt,
		"failing": pluginsv1alpha1.ReasonRegistryUnavailable, "busy": pluginsv1alpha1.ReasonRegistryUnavailable,
		"denied": pluginsv1alpha1.ReasonUnauthorized,
	}
	server := registry.Start(t, registry.Options{})
	proxy := faults.New(t, server.Address)
	o := startOperator(t, pollsOften, loopback)
	module := conformanceFixture(t, "annotator.wasm")
	shops, next := map[string]tenant{}, map[string]digest.Digest{}
	for name := range of {
		shops[name] = newTenant(t, o.env, annotatorRules()...)
		server.Push(t, name, "v1", module)
		// A custom section of each one's own, as the cache has what another one has pulled.
		next[name] = server.Push(t, name, "v2", append(module[:len(module):len(module)], append([]byte{0, byte(len(name) + 1), byte(len(name))}, name...)...))
		shops[name].Plugin(t, "annotator", fromRegistry(proxy.Address()+"/"+name+":v1"))
	}
	for _, shop := range shops {
		shop.ExpectReady(t, "annotator")
	}
	proxy.Set(byRepository(of))
	for name, shop := range shops {
		shop.change(t, "annotator", fromRegistry(proxy.Address()+"/"+name+":v2"))
	}
	for name, shop := range shops {
		t.Log("while the registry is", name)
		shop.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionFetched, metav1.ConditionFalse, reasons[name], name+":v2")
		shop.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionServing, metav1.ConditionTrue, pluginsv1alpha1.ReasonPreviousRevision)
		shop.category(t, "tools")
		shop.expectAnnotated(t, "tools")
	}
	proxy.Set(nil)
	for name, shop := range shops {
		shop.expectArtifact(t, "annotator", next[name].String())
	}
}

// TestOperator_oci_killed kills the registry during a pull, and flips bytes in what the operator has pulled.
func TestOperator_oci_killed(t *testing.T) {
	server := registry.Start(t, registry.Options{})
	proxy := faults.New(t, server.Address)
	o := startOperator(t, pollsOften, loopback)
	shop := newTenant(t, o.env, annotatorRules()...)
	pushed := server.Push(t, "annotator", "v1", conformanceFixture(t, "annotator.wasm"))
	proxy.Set(faults.On(http.MethodGet, "/blobs/", faults.Half(func(*http.Request) {
		server.Kill()
		panic(http.ErrAbortHandler)
	})))
	shop.Plugin(t, "annotator", fromRegistry(proxy.Address()+"/annotator:v1"))
	shop.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionFetched, metav1.ConditionFalse, pluginsv1alpha1.ReasonRegistryUnavailable)
	proxy.Set(nil)
	server.Run(t)
	shop.expectArtifact(t, "annotator", pushed.String())

	t.Log("flipped bytes in the cache, and no registry")
	server.Kill()
	o.end(t)
	flipCache(t, o.cache)
	o.start(t)
	shop.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionFetched, metav1.ConditionFalse, pluginsv1alpha1.ReasonRegistryUnavailable,
		"the operator's cache (--cache-dir) has no copy of it")
	server.Run(t)
	shop.expectArtifact(t, "annotator", pushed.String())
	shop.category(t, "tools")
	shop.expectAnnotated(t, "tools")
}

// flipCache flips a bit of each blob in a cache directory.
func flipCache(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "oci-blobs-*", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("the cache has the files %v: %v", files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		content[len(content)/2] ^= 1
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
