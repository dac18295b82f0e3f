// SPDX-License-Identifier: Apache-2.0

package k1s_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// buildHello builds the example for WebAssembly and returns the module.
func buildHello(t *testing.T) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hello.wasm")
	goWASM(t, "build", "-buildmode=c-shared", "-trimpath", "-ldflags", "-s -w", "-o", file, "./examples/hello")
	module, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return module
}

// goWASM runs the go command for the target platform of plugins.
func goWASM(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestWASM_vet(t *testing.T) {
	t.Parallel()
	goWASM(t, "vet", "./...")
}

// TestWASM_borders compares the imports and exports of the example with the guest ABI.
func TestWASM_borders(t *testing.T) {
	t.Parallel()
	imports, exports := borders(t, buildHello(t))

	want := map[string]string{
		"memory": "memory", "_initialize": "() ()",
		"k1s_abi_version": "() (i32)", "k1s_alloc": "(i32) (i32)", "k1s_metadata": "() (i64)",
		"k1s_initialize": "(i32 i32) (i64)", "k1s_health": "() (i64)", "k1s_shutdown": "() ()",
		"reconcile": "(i32 i32) (i64)", "reconcile_batch": "(i32 i32) (i64)", "finalize": "(i32 i32) (i64)",
		"validate_create": "(i32 i32) (i64)", "validate_update": "(i32 i32) (i64)", "validate_delete": "(i32 i32) (i64)",
		"set_defaults": "(i32 i32) (i64)", "admit": "(i32 i32) (i64)",
	}
	if !maps.Equal(exports, want) {
		t.Errorf("exports %v\nwant %v", exports, want)
	}

	// The example logs and emits Events, so it imports no other host functions.
	want = map[string]string{"k1s.k1s_log": "(i32 i32 i32) ()", "k1s.k1s_event": "(i32 i32) (i64)"}
	maps.DeleteFunc(imports, func(name, _ string) bool { return strings.HasPrefix(name, "wasi_snapshot_preview1.") })
	if !maps.Equal(imports, want) {
		t.Errorf("imports %v\nwant %v", imports, want)
	}
}
