// SPDX-License-Identifier: Apache-2.0

// Package meter implements a rewriter for WebAssembly modules that adds metering, so that the host can stop a module,
// count its instructions, and limit its call stack. Compiled guest code is not preemptible: a loop in it blocks a
// thread until it ends, and with it Go's garbage collector. A metered module yields by itself.
//
// A metered module counts its instructions down. Below zero it calls an imported function, yield, which grants more
// instructions, or panics and thereby ends the guest. It also counts the bytes of its call stack. Metering does not
// change the results that a module computes. docs/adr/0010-metering.md says what is counted where, what it costs, and
// why.
//
// The bytes of the module are not trusted: time and memory are linear in their number, nothing panics, and an
// instruction that is not part of WebAssembly core 2.0 is rejected with an error that names it. Rewrite does not check
// types, because the engine does so before it compiles the result. Rewrite does check every index against the module's
// own index spaces, so that no module can access what Rewrite adds to them.
//
// The package depends only on the standard library and package binary.
package meter
