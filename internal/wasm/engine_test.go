// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// withSection appends a custom section, which WAT cannot express.
func withSection(module []byte, name, content string) []byte {
	body := append(binary.AppendUvarint(nil, uint64(len(name))), name+content...)
	out := append(slices.Clone(module), 0)
	return append(binary.AppendUvarint(out, uint64(len(body))), body...)
}

var testMetadata = plugin.Metadata{
	Name: "test", Version: "1", ABI: 1,
	ForTypes:     []schema.GroupVersionKind{{Version: "v1", Kind: "ConfigMap"}},
	Capabilities: []plugin.Capability{plugin.CapabilityReconcile},
}

func TestEngine_Describe(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	for _, name := range []string{"minimal", "reactor", "start_log", "unhealthy", "settings_rejected"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := request(t, name)
			got, err := e.Describe(t.Context(), req.Module, req.Limits)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(testMetadata, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestEngine_Describe_section verifies that a module with a metadata section is neither run nor compiled to get its
// metadata.
func TestEngine_Describe_section(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	const metadata = `{"name":"section","version":"2","capabilities":["status_update"]}`
	for _, name := range []string{"no_metadata", "metadata_trap", "metadata_loop", "start_trap", "not_valid"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := request(t, name)
			got, err := e.Describe(t.Context(), plugin.NewModule(withSection(req.Module.Bytes, "k1s.metadata", metadata)), req.Limits)
			if err != nil || got.Name != "section" || got.Version != "2" {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	t.Run("empty", func(t *testing.T) {
		t.Parallel()
		req := request(t, "minimal")
		_, err := e.Describe(t.Context(), plugin.NewModule(withSection(req.Module.Bytes, "k1s.metadata", "")), req.Limits)
		rejection{"empty section", pluginsv1alpha1.ReasonInvalidMetadata, "metadata is empty"}.check(t, err)
	})
}

func TestEngine_notWasm(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	limits := request(t, "minimal").Limits
	tests := []struct {
		name, reason, want string
		in                 []byte
	}{
		{"nothing", pluginsv1alpha1.ReasonNotWasm, "the source holds nothing (0 bytes), not a WebAssembly module: store", nil},
		{"text", pluginsv1alpha1.ReasonNotWasm, "the source holds a Git LFS pointer, not a WebAssembly module: run `git lfs pull`", []byte("version https://git-lfs.github.com/spec/v1")},
		{"bytes", pluginsv1alpha1.ReasonNotWasm, `its 3 bytes do not begin with "\0asm" (nor are they gzip or zstd of one)`, []byte{1, 2, 3}},
		{"the magic alone", pluginsv1alpha1.ReasonNotWasm, "the source holds the first 6 bytes of a WebAssembly module: store all of it", []byte("\x00asm\x01\x00")},
		{"a component", pluginsv1alpha1.ReasonNotWasm, "k1s does not support the component model: build the plugin as a core module", []byte("\x00asm\x0d\x00\x01\x00")},
		{"a version to come", pluginsv1alpha1.ReasonInvalidModule, "malformed", []byte("\x00asm\x02\x00\x00\x00")},
		{"an empty module", pluginsv1alpha1.ReasonMissingABIVersion, "was not built as a k1s plugin", []byte("\x00asm\x01\x00\x00\x00")},
		{"cut off", pluginsv1alpha1.ReasonInvalidModule, "check that it was stored whole", fixture(t, "minimal").Bytes[:100]},
		{"locals of 32 GiB", pluginsv1alpha1.ReasonInvalidModule, "the module is too large: build it smaller", []byte("\x00asm\x01\x00\x00\x00" +
			"\x01\x04\x01\x60\x00\x00" + "\x03\x02\x01\x00" + "\x0a\x0a\x01\x08\x01\xff\xff\xff\xff\x0f\x7e\x0b")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := e.Describe(t.Context(), plugin.NewModule(tt.in), limits)
			rejection{tt.name, tt.reason, tt.want}.check(t, err)
			_, _, err = e.Load(t.Context(), plugin.LoadRequest{Module: plugin.NewModule(tt.in), Limits: limits})
			rejection{tt.name, tt.reason, tt.want}.check(t, err)
		})
	}
}

// TestEngine_damaged verifies that a module with one damaged byte results in a revision or a LoadError, and never ends
// the process.
func TestEngine_damaged(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	whole := fixture(t, "minimal").Bytes
	limits := plugin.Limits{MaxMemoryPages: 4, CallTimeout: callTimeout, MaxInstances: 1, Fuel: 1_000_000} // some loop forever
	for at := range whole {
		for _, mask := range []byte{0x01, 0x80, 0xff} {
			damaged := slices.Clone(whole)
			damaged[at] ^= mask
			module := plugin.NewModule(damaged)
			if _, err := e.Describe(t.Context(), module, limits); err != nil {
				_ = asLoadError(t, err)
			}
			r, _, err := e.Load(t.Context(), plugin.LoadRequest{Module: module, Settings: []byte("{}"), Limits: limits})
			if err != nil {
				_ = asLoadError(t, err)
				continue
			}
			if _, err := r.Call(t.Context(), plugin.Call{Export: "reconcile", Input: []byte("{}")}); err != nil && plugin.KindOf(err) == "" {
				t.Errorf("got %v, want a CallError", err)
			}
			_ = r.Close(t.Context())
		}
	}
}

// TestEngine_sharedCode verifies that two plugins with the same module share its code, which is released after both are
// closed.
func TestEngine_sharedCode(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	e.modules.Linger = time.Millisecond
	var runners [2]plugin.Runner
	for i := range runners {
		r, info, err := e.Load(t.Context(), request(t, "modes"))
		if err != nil || info.Cached != (i == 1) {
			t.Fatalf("load %d: cached %v, %v", i, info.Cached, err)
		}
		runners[i] = r
	}
	if err := runners[0].Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := calls(t, runners[1]); got != 1 {
		t.Errorf("call %d, want 1", got)
	}
	if err := runners[1].Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the code is released", func() bool { return e.modules.Len() == 0 })
	if got := calls(t, load(t, e, "modes")); got != 1 { // and compiled again
		t.Errorf("call %d, want 1", got)
	}
}

func TestEngine_Load_concurrent(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, func(o *Options) { o.ParallelCompiles = 2 })
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			r, _, err := e.Load(t.Context(), request(t, []string{"modes", "minimal", "reactor"}[i%3]))
			if err != nil {
				t.Error(err)
				return
			}
			if err := r.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestEngine_Close verifies that Close does not wait forever for a guest that cannot be stopped.
func TestEngine_Close(t *testing.T) {
	t.Parallel()
	e, err := New(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	e.runners.Add(1) // never done
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := e.Close(ctx); err != nil {
		t.Error(err)
	}
}
