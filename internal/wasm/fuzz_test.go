// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// addFixtures seeds a fuzz test with every fixture.
func addFixtures(f *testing.F) {
	f.Helper()
	fixtures, err := filepath.Glob("testdata/*.wasm")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range fixtures {
		module, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(module)
	}
}

// FuzzEngine holds that whatever the module, it is refused with a LoadError or serves, and that what
// it does then is an answer or a CallError.
func FuzzEngine(f *testing.F) {
	addFixtures(f)
	e, _ := newEngine(f)
	e.modules.linger = time.Millisecond
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
