// SPDX-License-Identifier: Apache-2.0

// Package binary reads the outside of a WebAssembly module (what it imports, exports and declares,
// and its custom sections) without compiling or running it. It reads the binary format of
// WebAssembly core 2.0, chapter 5; it does not validate function bodies, which is the engine's work.
// It depends on the standard library alone and never panics, whatever the bytes.
package binary
