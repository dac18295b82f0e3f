// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"encoding/binary"
	"strings"
	"testing"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// importing returns a module that imports one function with the given number of parameters of type i32.
func importing(params int, from, name string) plugin.Module {
	section := func(out []byte, id byte, body []byte) []byte {
		return append(binary.AppendUvarint(append(out, id), uint64(len(body))), body...)
	}
	text := func(out []byte, s string) []byte { return append(binary.AppendUvarint(out, uint64(len(s))), s...) }
	kind := append([]byte{1, 0x60, byte(params)}, strings.Repeat("\x7f", params)...)
	out := section([]byte("\x00asm\x01\x00\x00\x00"), 1, append(kind, 0))
	return plugin.NewModule(section(out, 2, append(text(text([]byte{1}, from), name), 0, 0)))
}

// TestEngine_unknownImport verifies that the message for an unknown import depends on the toolchain that the import
// indicates, and says how to change the build.
func TestEngine_unknownImport(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	limits := request(t, "minimal").Limits
	const wasi = `build it for WASI preview 1 ("wasi_snapshot_preview1"`
	for _, tc := range []struct {
		params             int
		module, name, want string
	}{
		{4, "env", "abort", "pass asc the option `--use abort=<file>/<function>` with a function of the plugin's own, such as assembly/index/abort, or `--use abort=` to trap"},
		{0, "env", "seed", "pass asc the option `--use seed=<file>/<function>` with a function of the plugin's own, such as assembly/index/seed"},
		{7, "env", "trace", "pass asc the option `--use trace=<file>/<function>`"},
		{1, "env", "console.log", "JavaScript's console.log is not available to plugins"},
		{0, "env", "Date.now", "JavaScript's Date.now is not available to plugins"},
		{0, "env", "abort", "build it with Emscripten's -sSTANDALONE_WASM --no-entry"},
		{1, "env", "emscripten_resize_heap", "build it with Emscripten's -sSTANDALONE_WASM --no-entry"},
		{0, "env", "_abort_js", "build it with Emscripten's -sSTANDALONE_WASM --no-entry"},
		{3, "env", "__cxa_throw", "(C++: -fno-exceptions)"},
		{1, "env", "helper", "linkers import so what no object file or library defines: link it, or take the call out"},
		{1, "env", "some.helper", "linkers import so what no object file or library defines"},
		{1, "__wbindgen_placeholder__", "__wbindgen_describe", "build the plugin without wasm-bindgen"},
		{1, "__wbindgen_externref_xform__", "__wbindgen_externref_table_grow", "build the plugin without wasm-bindgen"},
		{1, "./plugin_bg.js", "__wbindgen_throw", "build the plugin without wasm-bindgen"},
		{1, "wbg", "__wbindgen_throw", "build the plugin without wasm-bindgen"},
		{1, "gojs", "runtime.wasmExit", "build it with GOOS=wasip1 GOARCH=wasm and -buildmode=c-shared"},
		{1, "wasi", "thread-spawn", "build it without threads (-pthread)"},
		{1, "wasi_unstable", "fd_close", wasi},
		{1, "wasi:cli/stdout@0.2.0", "get-stdout", wasi},
		{1, "k1s", "k1s_new", `only the functions of "k1s" (guest ABI 1) and "wasi_snapshot_preview1" can be imported`},
		{1, "other", "abort", `only the functions of "k1s" (guest ABI 1) and "wasi_snapshot_preview1" can be imported`},
	} {
		_, err := e.Describe(t.Context(), importing(tc.params, tc.module, tc.name), limits)
		rejection{tc.name, pluginsv1alpha1.ReasonUnknownImport, `the module imports the func "` + tc.module + `" "` + tc.name + `", which the host does not offer: `}.check(t, err)
		rejection{tc.name, pluginsv1alpha1.ReasonUnknownImport, tc.want}.check(t, err)
	}
	_, err := e.Describe(t.Context(), importing(0, "env", strings.Repeat("x", 1<<20)), limits)
	rejection{"long", pluginsv1alpha1.ReasonUnknownImport, strings.Repeat("x", maxName-len("…")) + `…", which`}.check(t, err)
	if n := len(err.Error()); n > 1000 {
		t.Errorf("the message has %d bytes", n)
	}
}

// TestEngine_notWasm_origin verifies that the message says where the bytes are stored, and what they are.
func TestEngine_notWasm_origin(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	limits := request(t, "minimal").Limits
	for in, want := range map[string]string{
		"AGFzbQEAAAA=":                        "holds base64 text of a WebAssembly module, not a WebAssembly module: decode it",
		"<html>":                              "holds an HTML page, not a WebAssembly module: download",
		"\x01\x02":                            "does not hold a WebAssembly module: its 2 bytes",
		"\x00asm\x0d\x00\x01\x00":             "holds a WebAssembly component, and",
		strings.Repeat("\x00", 257) + "ustar": "holds a tar archive, not a WebAssembly module: take the .wasm file out of it",
	} {
		module := plugin.NewModule([]byte(in))
		module.Origin = `key "a" of ConfigMap "b"`
		_, err := e.Describe(t.Context(), module, limits)
		rejection{in, pluginsv1alpha1.ReasonNotWasm, `key "a" of ConfigMap "b" ` + want}.check(t, err)
	}
}
