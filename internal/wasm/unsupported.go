// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"fmt"

	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/wasm/binary"
)

// buildWithout describes how to build a module that does not use a proposal. It names the options of the toolchains.
// Proposals that no toolchain enables by an option are not listed.
var buildWithout = map[binary.Proposal]string{
	binary.ProposalThreads:         "without -pthread and -matomics (Rust: -C target-feature=+atomics; AssemblyScript: --enable threads, --sharedMemory)",
	binary.ProposalExceptions:      "without -fwasm-exceptions (Rust: with -C panic=abort; AssemblyScript: without --enable exception-handling)",
	binary.ProposalTailCalls:       "without -mtail-call (Rust: -C target-feature=+tail-call; AssemblyScript: --enable tail-calls)",
	binary.ProposalMemory64:        "for wasm32, not wasm64 (Emscripten: without -sMEMORY64; AssemblyScript: without --enable memory64)",
	binary.ProposalGC:              "with a language that keeps its objects in linear memory: Kotlin, Dart and other languages that use the host's garbage collector cannot be run",
	binary.ProposalTypedReferences: "with a toolchain that targets WebAssembly 2.0",
	binary.ProposalMultiMemory:     "with one memory (clang: without -mmultimemory)",
	binary.ProposalRelaxedSIMD:     "without -mrelaxed-simd (Rust: -C target-feature=+relaxed-simd; AssemblyScript: --enable relaxed-simd)",
	binary.ProposalExtendedConst:   "without -mextended-const (Rust: -C target-feature=+extended-const; AssemblyScript: --enable extended-const)",
	binary.ProposalWideArithmetic:  "without -mwide-arithmetic (Rust: -C target-feature=+wide-arithmetic)",
	binary.ProposalStringRef:       "without strings of the host (AssemblyScript: --enable stringref)",
}

// unsupported returns an error that names the unsupported proposal that a module uses, and how to build the module
// without it.
func unsupported(reason string, u *binary.UnsupportedError, err error) error {
	build, ok := buildWithout[u.Proposal]
	if !ok {
		build = "without it, for WebAssembly 2.0"
	}
	return &plugin.LoadError{
		Reason: reason, Err: err,
		Message: fmt.Sprintf("the module uses the %s proposal, which k1s does not support: build it %s", u.Proposal, build),
	}
}
