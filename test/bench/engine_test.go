// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/wasm"
)

// guests are the modules that are measured, relative to the repository's root.
var guests = map[string]string{
	"wat-logger":            "test/conformance/testdata/logger.wasm",
	"go-category-hierarchy": "plugins/category-hierarchy.wasm",
}

func module(b *testing.B, path string) plugin.Module {
	b.Helper()
	bytes, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(path)))
	if err != nil {
		b.Skipf("%v: run `make bench`, which builds the sample plugins", err)
	}
	return plugin.NewModule(bytes)
}

func engine(b *testing.B, cacheDir string) *wasm.Engine {
	b.Helper()
	e, err := wasm.New(b.Context(), wasm.Options{CacheDir: cacheDir, Log: logr.Discard()})
	if err != nil {
		b.Fatal(err)
	}
	return e
}

func request(m plugin.Module) plugin.LoadRequest {
	return plugin.LoadRequest{
		Name: "bench/bench", Module: m, Settings: json.RawMessage("{}"), Host: noHost{},
		Limits: plugin.Limits{MaxMemoryPages: 1024, CallTimeout: 5 * time.Second, MaxInstances: 4, IdleTimeout: time.Minute},
	}
}

// BenchmarkReconcile is one call of reconcile on a warm instance, for a Category that is up to date:
// the request in, the guest's work, the reply out. No API server takes part.
func BenchmarkReconcile(b *testing.B) {
	for name, path := range guests {
		b.Run(name, func(b *testing.B) {
			m := module(b, path)
			e := engine(b, "")
			defer func() { _ = e.Close(b.Context()) }()
			r, _, err := e.Load(b.Context(), request(m))
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = r.Close(b.Context()) }()
			req := abi.ReconcileRequest{
				ObjectKey: abi.ObjectKey{APIVersion: "inventory.example.com/v1alpha1", Kind: "Category", Namespace: "shop", Name: "tools"},
				Object:    json.RawMessage(category), Attempt: 1,
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := plugin.Reconcile(b.Context(), r, req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLoad is a load up to a healthy first instance, with compiled code from the disk cache.
func BenchmarkLoad(b *testing.B) {
	for name, path := range guests {
		b.Run(name, func(b *testing.B) {
			m := module(b, path)
			dir := b.TempDir()
			for b.Loop() {
				b.StopTimer()
				e := engine(b, dir) // a new one, which has nothing in memory
				b.StartTimer()
				r, _, err := e.Load(b.Context(), request(m))
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := r.Close(b.Context()); err != nil {
					b.Fatal(err)
				}
				if err := e.Close(b.Context()); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}
