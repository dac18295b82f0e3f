// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv/testfile"
)

// addFixtures adds every fixture to the seed corpus of a fuzz test.
func addFixtures(f *testing.F) {
	f.Helper()
	fixtures, err := filepath.Glob("testdata/*.wasm")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range fixtures {
		module := testfile.Read(f, name)
		f.Add(module)
	}
}

// FuzzEngine checks that the engine either rejects a module with a LoadError or runs it, and that a call then returns a
// reply or a CallError.
func FuzzEngine(f *testing.F) {
	addFixtures(f)
	e, _ := newEngine(f)
	e.modules.Linger = time.Millisecond
	limits := plugin.Limits{MaxMemoryPages: 16, CallTimeout: 100 * time.Millisecond, MaxInstances: 1}
	f.Fuzz(func(t *testing.T, bytes []byte) {
		module := plugin.NewModule(bytes)
		if _, err := e.Describe(t.Context(), module, limits); err != nil {
			_ = asLoadError(t, err)
		}
		r, _, err := e.Load(t.Context(), plugin.LoadRequest{Name: "fuzz", Module: module, Settings: []byte("{}"), Limits: limits})
		if err != nil {
			_ = asLoadError(t, err)
			return
		}
		if _, err := r.Call(t.Context(), plugin.Call{Export: abi.ExportReconcile, Input: []byte("abc")}); err != nil && plugin.KindOf(err) == "" {
			t.Errorf("got %v, want a CallError", err)
		}
		if err := r.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
