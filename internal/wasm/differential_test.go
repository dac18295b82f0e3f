// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"errors"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/k1s-io/k1s/internal/testenv/testfile"
	"github.com/k1s-io/k1s/internal/wasm/binary"
)

// validator returns a runtime that checks quickly whether the engine would accept a module.
func validator(tb testing.TB) wazero.Runtime {
	tb.Helper()
	r := wazero.NewRuntimeWithConfig(tb.Context(), wazero.NewRuntimeConfigInterpreter().
		WithCoreFeatures(api.CoreFeaturesV2).WithDebugInfoEnabled(false))
	tb.Cleanup(func() { _ = r.Close(context.Background()) })
	return r
}

// checkAgainst checks that binary.Parse accepts every module that the engine accepts, and that the engine still accepts
// the module after its tables are capped. It skips the modules from which binary.Parse protects the engine.
func checkAgainst(t *testing.T, r wazero.Runtime, module []byte) (taken bool) {
	t.Helper()
	outside, err := binary.Parse(module)
	if errors.Is(err, binary.ErrLimit) || err != nil && unfit(err.Error()) {
		return false
	}
	compiled := compiles(t.Context(), r, module)
	if compiled == nil {
		return false
	}
	defer compiled.Close(t.Context())
	if err != nil {
		t.Errorf("the engine takes a module that Parse does not: %v", err)
		return true
	}
	if got, want := len(outside.Exports), len(compiled.ExportedFunctions()); got < want {
		t.Errorf("Parse found %d exports, the engine %d functions", got, want)
	}
	for name, def := range compiled.ExportedFunctions() {
		ex, ok := outside.Export(name)
		if !ok || !sameTypes(ex.Func.Params, def.ParamTypes()) || !sameTypes(ex.Func.Results, def.ResultTypes()) {
			t.Errorf("export %q: Parse says %v %s, the engine %s", name, ok, funcType(ex.Func), describe(signature(def.ParamTypes(), def.ResultTypes())))
		}
	}
	capped, err := r.CompileModule(t.Context(), outside.CapTables().Bytes)
	if err != nil {
		t.Errorf("with its tables capped the engine does not take it: %v", err)
		return true
	}
	_ = capped.Close(t.Context())
	return true
}

// unfit reports whether Parse found a count that is larger than the remaining bytes allow. The engine would allocate
// memory for all of it before it finds that out.
func unfit(message string) bool {
	return strings.Contains(message, " left") || strings.Contains(message, "unexpected end")
}

// compiles returns the compiled module, or nil. The validator panics for some modules, see compileOnce.
func compiles(ctx context.Context, r wazero.Runtime, module []byte) (code wazero.CompiledModule) {
	defer func() { _ = recover() }()
	code, err := r.CompileModule(ctx, module)
	if err != nil {
		return nil
	}
	return code
}

// sameTypes compares types, but treats all reference types, whose encodings are below v128, as equal.
func sameTypes(a, b []byte) bool {
	const lastNumber = 0x7b // v128
	return slices.EqualFunc(a, b, func(x, y byte) bool {
		return x == y || (x < lastNumber && y < lastNumber)
	})
}

// TestParse_specificationTests runs checkAgainst on the WebAssembly specification tests, which are in the test data of
// wazero.
func TestParse_specificationTests(t *testing.T) {
	t.Parallel()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	root := strings.TrimSpace(string(dir))
	if err != nil || root == "" {
		t.Skip("the runtime's sources are not here")
	}
	var modules []string
	err = filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".wasm" {
			modules = append(modules, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	r, taken := validator(t), 0
	for _, path := range modules {
		module := testfile.Read(t, path)
		if len(module) > 1<<20 { // large ones do not test more of the format
			continue
		}
		if checkAgainst(t, r, module) {
			taken++
		}
		if t.Failed() {
			rel, _ := filepath.Rel(root, path)
			t.Fatal(rel)
		}
	}
	if len(modules) > 0 && taken < len(modules)/4 {
		t.Errorf("the engine took %d of %d modules: are these the right ones?", taken, len(modules))
	}
	t.Logf("%d of %d modules are valid", taken, len(modules))
}

// FuzzParse_differential runs checkAgainst on generated modules.
func FuzzParse_differential(f *testing.F) {
	addFixtures(f)
	r := validator(f)
	f.Fuzz(func(t *testing.T, module []byte) {
		if len(module) > 64<<10 {
			t.Skip()
		}
		checkAgainst(t, r, module)
	})
}
