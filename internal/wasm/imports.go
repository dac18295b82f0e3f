// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"fmt"
	"strings"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/wasm/binary"
	"github.com/k1s-io/k1s/internal/wasm/wasi"
)

// Modules from which toolchains import functions that the host does not offer.
const (
	importEnv     = "env"
	importThreads = "wasi"
)

// buildWithoutImport returns advice on how to build a module without an import. The import shows which toolchain built
// the module.
func buildWithoutImport(im binary.Import) string {
	switch {
	case im.Module == importEnv:
		return buildWithoutEnv(im)
	case strings.HasPrefix(im.Module, "__wbindgen_"), im.Module == "wbg", strings.HasSuffix(im.Module, "_bg.js"):
		return "build the plugin without wasm-bindgen, which needs JavaScript (`cargo tree -i wasm-bindgen` shows which crate uses it)"
	case im.Module == "gojs", im.Module == "go":
		return "build it with GOOS=wasip1 GOARCH=wasm and -buildmode=c-shared, not for JavaScript"
	case im.Module == importThreads:
		return "build it without threads (-pthread), for wasm32-wasip1"
	case im.Module == "wasi_unstable":
		return fmt.Sprintf("build it for WASI preview 1 (%q)", wasi.ModuleName)
	case strings.HasPrefix(im.Module, "wasi:"):
		return fmt.Sprintf("build it for WASI preview 1 (%q, target wasm32-wasip1), not preview 2", wasi.ModuleName)
	default:
		return onlyImports()
	}
}

// buildWithoutEnv is buildWithoutImport for the module "env". AssemblyScript and Emscripten import the functions of
// their runtime libraries from it, and linkers import undefined symbols from it.
func buildWithoutEnv(im binary.Import) string {
	switch im.Kind {
	case binary.ExternFunc:
	case binary.ExternMemory:
		return "build it without -Wl,--import-memory (AssemblyScript: without --importMemory)"
	case binary.ExternTable:
		return "build it without -Wl,--import-table (AssemblyScript: without --importTable)"
	default:
		return onlyImports()
	}
	name, _, isMethod := strings.Cut(im.Name, ".")
	switch {
	case isAssemblyScript(im):
		return fmt.Sprintf("pass asc the option `--use %s=<file>/<function>` with a function of the plugin's own, such as assembly/index/%s%s",
			im.Name, im.Name, map[bool]string{true: ", or `--use abort=` to trap"}[im.Name == "abort"])
	case isMethod && javaScriptObjects[name]:
		return fmt.Sprintf("JavaScript's %s is not available to plugins: leave it out of the AssemblyScript source, or use %q and WASI instead",
			im.Name, abi.ImportModule)
	case isEmscripten(im):
		return "build it with Emscripten's -sSTANDALONE_WASM --no-entry, and without its JavaScript library (C++: -fno-exceptions)"
	default:
		return "linkers import so what no object file or library defines: link it, or take the call out (Emscripten: build with -sSTANDALONE_WASM --no-entry)"
	}
}

// isAssemblyScript reports whether an import is a function of the AssemblyScript compiler asc, which its option --use
// can replace.
func isAssemblyScript(im binary.Import) bool {
	switch im.Name {
	case "abort":
		return len(im.Func.Params) == 4 // Emscripten's has no parameters
	case "seed", "trace":
		return true
	default:
		return false
	}
}

// javaScriptObjects are the JavaScript objects for which AssemblyScript has bindings, which it imports from "env".
var javaScriptObjects = map[string]bool{
	"console": true, "crypto": true, "Date": true, "document": true, "globalThis": true, "Math": true,
	"performance": true, "process": true, "Reflect": true, "String": true, "Object": true,
}

// isEmscripten reports whether an import belongs to Emscripten's JavaScript library.
func isEmscripten(im binary.Import) bool {
	for _, prefix := range []string{"emscripten_", "_emscripten_", "__emscripten_", "__syscall_", "__cxa_", "invoke_", "embind_", "_embind_"} {
		if strings.HasPrefix(im.Name, prefix) {
			return true
		}
	}
	return im.Name == "abort" || strings.HasSuffix(im.Name, "_js")
}

func onlyImports() string {
	return fmt.Sprintf("only the functions of %q (guest ABI %d) and %q can be imported", abi.ImportModule, abi.Version, wasi.ModuleName)
}
