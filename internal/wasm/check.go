// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/source/sniff"
	"github.com/k1s-io/k1s/internal/wasm/binary"
	"github.com/k1s-io/k1s/internal/wasm/wasi"
)

// check parses a module and checks its imports and exports against the ABI. Errors are *plugin.LoadError.
func (e *Engine) check(module []byte, limits plugin.Limits) (*binary.Module, error) {
	return e.checkOrigin("the source", module, limits)
}

// checkOrigin is check for a module whose origin is known.
func (e *Engine) checkOrigin(origin string, module []byte, limits plugin.Limits) (*binary.Module, error) {
	m, err := binary.Parse(module)
	var proposal *binary.UnsupportedError
	switch {
	case errors.Is(err, binary.ErrComponent):
		return nil, plugin.Reject(pluginsv1alpha1.ReasonNotWasm,
			"%s holds a WebAssembly component, and k1s does not support the component model: %s", origin, sniff.Of(module).Advice)
	case errors.Is(err, binary.ErrNotWasm):
		return nil, notWasm(origin, module)
	case errors.As(err, &proposal):
		return nil, unsupported(pluginsv1alpha1.ReasonInvalidModule, proposal, err)
	case errors.Is(err, binary.ErrLimit):
		return nil, &plugin.LoadError{
			Reason: pluginsv1alpha1.ReasonInvalidModule, Err: err,
			Message: "the module is too large: build it smaller, or split it into several plugins",
		}
	case err != nil:
		return nil, &plugin.LoadError{
			Reason: pluginsv1alpha1.ReasonInvalidModule, Err: err,
			Message: "the module is malformed: build it again, or check that it was stored whole",
		}
	}
	for _, step := range []func(*binary.Module) error{e.checkImports, checkShape, checkExports} {
		if err := step(m); err != nil {
			return nil, err
		}
	}
	return m, checkMemory(m.MinMemoryPages, limits)
}

// notWasm returns an error that describes what a source contains instead of a module.
func notWasm(origin string, stored []byte) error {
	if bytes.HasPrefix(stored, []byte("\x00asm")) { // shorter than the shortest module
		return plugin.Reject(pluginsv1alpha1.ReasonNotWasm,
			"%s holds the first %d bytes of a WebAssembly module: store all of it", origin, len(stored))
	}
	content := sniff.Of(stored)
	if content.What == "" {
		return plugin.Reject(pluginsv1alpha1.ReasonNotWasm,
			"%s does not hold a WebAssembly module: its %d bytes do not begin with \"\\0asm\" (nor are they gzip or zstd of one): store the module's bytes as they are",
			origin, len(stored))
	}
	return plugin.Reject(pluginsv1alpha1.ReasonNotWasm,
		"%s holds %s, not a WebAssembly module: %s", origin, content.What, content.Advice)
}

// checkImports rejects imports that the host does not offer, and names them.
func (e *Engine) checkImports(m *binary.Module) error {
	host := abi.Imports()
	for _, im := range m.Imports {
		want, ok := host[im.Name]
		fromWASI, isWASI := e.wasi[im.Name]
		got := funcType(im.Func)
		switch {
		case im.Kind == binary.ExternFunc && im.Module == abi.ImportModule && ok:
			if describe(want) != got {
				return plugin.Reject(pluginsv1alpha1.ReasonUnknownImport,
					"the module imports %q %q as %s, but the host offers it as %s: build it against guest ABI %d",
					im.Module, im.Name, got, describe(want), abi.Version)
			}
		case im.Kind == binary.ExternFunc && im.Module == wasi.ModuleName && isWASI:
			if want := describe(signature(fromWASI.Params, fromWASI.Results)); want != got {
				return plugin.Reject(pluginsv1alpha1.ReasonUnknownImport,
					"the module imports %q %q as %s, but WASI preview 1 has it as %s", im.Module, im.Name, got, want)
			}
		default:
			return plugin.Reject(pluginsv1alpha1.ReasonUnknownImport,
				"the module imports the %s %q %q, which the host does not offer: %s",
				im.Kind, shorten(im.Module), shorten(im.Name), buildWithoutImport(im))
		}
	}
	return nil
}

// checkShape rejects command modules, modules without an ABI version and modules that do not export a memory.
func checkShape(m *binary.Module) error {
	_, reactor := m.Export(abi.ExportReactorInitialize)
	if _, command := m.Export(abi.ExportCommandStart); command && !reactor {
		return plugin.Reject(pluginsv1alpha1.ReasonCommandModule,
			"the module is a command (it exports %q), which ends when its main function does: build it as a reactor (Go: -buildmode=c-shared; C: -mexec-model=reactor)",
			abi.ExportCommandStart)
	}
	if _, ok := m.Export(abi.ExportABIVersion); !ok {
		return plugin.Reject(pluginsv1alpha1.ReasonMissingABIVersion,
			"the module has no export %q: it was not built as a k1s plugin; build it with a k1s SDK, or as docs/spec/abi.md says", abi.ExportABIVersion)
	}
	memory, ok := m.Export(abi.ExportMemory)
	if !ok || memory.Kind != binary.ExternMemory {
		return plugin.Reject(pluginsv1alpha1.ReasonMissingExport, "the module does not export a memory as %q: build it so that it does", abi.ExportMemory)
	}
	return nil
}

// checkExports checks the exports and their signatures against the ABI.
func checkExports(m *binary.Module) error {
	required, optional := abi.RequiredExports(), abi.OptionalExports()
	for _, name := range sortedNames(required) {
		if _, ok := m.Export(name); !ok {
			return plugin.Reject(pluginsv1alpha1.ReasonMissingExport,
				"the module has no export %q %s, which every plugin needs: add it", name, describe(required[name]))
		}
	}
	for _, ex := range m.Exports {
		want, ok := required[ex.Name]
		if !ok {
			if want, ok = optional[ex.Name]; !ok {
				continue
			}
		}
		if ex.Kind != binary.ExternFunc || describe(want) != funcType(ex.Func) {
			got := ex.Kind.String()
			if ex.Kind == binary.ExternFunc {
				got = funcType(ex.Func)
			}
			return plugin.Reject(pluginsv1alpha1.ReasonMissingExport,
				"the module exports %q as %s: guest ABI %d wants %s", ex.Name, got, abi.Version, describe(want))
		}
		if ex.Imported {
			return plugin.Reject(pluginsv1alpha1.ReasonMissingExport,
				"the module exports an import as %q: it must be a function of the module's own", ex.Name)
		}
	}
	return nil
}

// checkCapabilities rejects a module that declares a capability without the export for it.
func checkCapabilities(m *binary.Module, declared []plugin.Capability) error {
	for _, c := range declared {
		names := plugin.Exports(c)
		if len(names) == 0 || slices.ContainsFunc(names, func(name string) bool { _, ok := m.Export(name); return ok }) {
			continue
		}
		return plugin.Reject(pluginsv1alpha1.ReasonMissingExport,
			"the module declares the capability %q but has no export \"%s\": add it, or do not declare the capability", c, strings.Join(names, "\" or \""))
	}
	return nil
}

// checkMemory rejects a module that needs more memory than its limit.
func checkMemory(pages uint64, limits plugin.Limits) error {
	if pages <= uint64(limits.MaxMemoryPages) {
		return nil
	}
	return plugin.Reject(pluginsv1alpha1.ReasonMemoryLimit,
		"the module needs %d pages of memory (64 KiB each), but spec.runtime.maxMemoryPages is %d: raise it", pages, limits.MaxMemoryPages)
}

func sortedNames(m map[string]abi.Signature) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// describe formats a signature like the specification: "(i32, i32) -> (i64)".
func describe(s abi.Signature) string {
	list := func(types []abi.ValueType) string {
		names := make([]string, len(types))
		for i, t := range types {
			names[i] = t.String()
		}
		return "(" + strings.Join(names, ", ") + ")"
	}
	return fmt.Sprintf("%s -> %s", list(s.Params), list(s.Results))
}

func funcType(f binary.FuncType) string {
	return describe(signature(f.Params, f.Results))
}

func signature(params, results []byte) abi.Signature {
	var s abi.Signature
	for _, p := range params {
		s.Params = append(s.Params, abi.ValueType(p))
	}
	for _, r := range results {
		s.Results = append(s.Results, abi.ValueType(r))
	}
	return s
}
