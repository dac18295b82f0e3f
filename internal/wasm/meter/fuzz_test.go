// SPDX-License-Identifier: Apache-2.0

package meter_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/k1s-io/k1s/internal/testenv/testfile"
	"github.com/k1s-io/k1s/internal/wasm/meter"
)

// compiles returns an error if wazero rejects a module. The validator of wazero panics for some malformed ones.
func compiles(module []byte) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	ctx := context.Background()
	runtime := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer func() { _ = runtime.Close(ctx) }()
	_, err = runtime.CompileModule(ctx, module)
	return err
}

// FuzzRewrite checks that Rewrite never panics, does not change its input, and that its output is valid if and only if
// the module was valid.
func FuzzRewrite(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(everything([]byte{0, 0x41, 8, 0x0b}, "at eight", []byte{1}, "passive", []byte{0, 0x41, 9, 0x0b}, "at nine"))
	f.Add(staticChain())
	for seed := range uint64(8) {
		f.Add(generate(random(seed)))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		kept := bytes.Clone(in)
		for _, o := range []meter.Options{{}, {KeepData: true}, meter.WithChunk(meter.Options{}, 8)} {
			out, err := meter.Rewrite(in, o)
			if !bytes.Equal(in, kept) {
				t.Fatal("the bytes given were changed")
			}
			if err != nil {
				if out != nil {
					t.Fatal("both an output and an error")
				}
				continue
			}
			before, after := compiles(in), compiles(out.Module)
			if (before == nil) != (after == nil) {
				t.Fatalf("%+v: before: %v; after: %v", o, before, after)
			}
		}
	})
}

// random returns bytes for the generator.
func random(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, seed))
	b := make([]byte, 50+r.IntN(2000))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// FuzzDifferential runs generated modules metered and, if they end, unmetered: results, traps and memory must be the
// same.
func FuzzDifferential(f *testing.F) {
	for seed := range uint64(40) {
		f.Add(random(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) { differential(t, generate(b)) })
}

// outcome is the observable result of a call.
type outcome struct {
	Results []uint64
	Trap    string
	Memory  [sha256.Size]byte
}

func differential(t *testing.T, module []byte) {
	out, err := meter.Rewrite(module, meter.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t, wazero.NewRuntimeConfig())
	h.metered = true
	h.grant = 1000
	h.after = func(int64) {
		if h.yields > 1000 {
			panic(errDeadline)
		}
	}
	mod, err := h.instantiate(module, "")
	if err != nil {
		t.Fatal(err)
	}
	plain := newHost(t, wazero.NewRuntimeConfig())
	unmetered, err := plain.instantiate(module, "")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		name := fmt.Sprintf("f%d", i)
		if mod.ExportedFunction(name) == nil {
			break
		}
		for _, arg := range []uint64{0, 5} {
			setGlobal(mod, meter.ExportStack, h.stack)
			h.yields = 0
			got, err := call(mod, name, arg)
			if errors.Is(err, errDeadline) || errors.Is(err, errStack) {
				return // it might not end without metering
			}
			if left := getGlobal(mod, meter.ExportStack); err == nil && left != h.stack {
				t.Fatalf("%s(%d): %d bytes of stack are left of %d", name, arg, left, h.stack)
			}
			want, _ := call(unmetered, name, arg)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s(%d) (-unmetered +metered)\n%s", name, arg, diff)
			}
			if err != nil {
				return
			}
		}
	}
	if len(out.Globals) != 2 {
		t.Fatalf("%d globals", len(out.Globals))
	}
}

func call(mod api.Module, name string, arg uint64) (outcome, error) {
	results, err := mod.ExportedFunction(name).Call(context.Background(), arg)
	o := outcome{Results: slices.Clone(results), Trap: trap(err)}
	all, _ := mod.Memory().Read(0, mod.Memory().Size())
	o.Memory = sha256.Sum256(all)
	return o, err
}

// TestRewrite_fuzzcases rewrites the modules with which wazero's own fuzzers have found bugs: if wazero accepts a
// module, it must also accept the metered module.
func TestRewrite_fuzzcases(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(spectests(t), "..", "fuzzcases", "testdata", "*.wasm"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d modules: %v", len(files), err)
	}
	taken := 0
	for _, file := range files {
		in := testfile.Read(t, file)
		before := compiles(in)
		out, err := meter.Rewrite(in, meter.Options{})
		if err != nil {
			if before == nil {
				t.Errorf("%s: rejected: %v", filepath.Base(file), err)
			}
			continue
		}
		if after := compiles(out.Module); (before == nil) != (after == nil) {
			t.Errorf("%s: before: %v; after: %v", filepath.Base(file), before, after)
		}
		if before == nil {
			taken++
		}
	}
	t.Logf("%d modules, of which wazero takes %d", len(files), taken)
}
