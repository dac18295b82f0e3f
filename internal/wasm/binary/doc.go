// SPDX-License-Identifier: Apache-2.0

// Package binary reads the outside of a WebAssembly module (what it imports, exports and declares,
// and its custom sections) without compiling or running it. It reads the binary format of
// WebAssembly core 2.0, chapter 5, every section to its last byte, but for the instructions of
// function bodies, which are the engine's to validate.
//
// It stands before the engine like a customs officer: the engine reserves memory for as many elements
// as a vector says it has before it reads them, so a module of thirty bytes could ask for gigabytes.
// What Parse accepts has no count that its bytes cannot fill, nor one beyond the limits of limits.go.
//
// It depends on the standard library alone and never panics, whatever the bytes.
package binary
