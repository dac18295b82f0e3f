// SPDX-License-Identifier: Apache-2.0

// Package meter rewrites a WebAssembly module so that whoever runs it can stop it, count what it does,
// and bound its call stack. Compiled guest code is not preemptible: a loop in it holds a thread until
// it ends, and Go's garbage collector with it. A metered module gives way by itself.
//
// It counts instructions down, and below zero it calls an imported function, yield, which grants the
// next instructions, or panics, and so ends the guest. It counts the bytes of its call stack as well.
// What a module computes is not changed by that. docs/adr/0010-metering.md says what is counted where,
// what it costs, and why.
//
// The bytes are not trusted: time and memory are linear in their number, nothing panics, and an
// instruction that is not of WebAssembly core 2.0 is refused by name. Rewrite does not check types:
// that is the engine's, before it compiles the result. But every index is held against the module's
// own spaces, so that no module can reach what Rewrite adds to them.
//
// It depends on the standard library and the binary reader alone.
package meter
