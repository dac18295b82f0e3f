// SPDX-License-Identifier: Apache-2.0

// Package binary implements a parser for the interface of a WebAssembly module (its imports, exports and declarations,
// and its custom sections) that neither compiles nor runs the module. It reads the binary format of WebAssembly core
// 2.0, chapter 5, every section to its last byte, except for the instructions of function bodies, which the engine
// validates.
//
// It checks a module before the engine does. The engine allocates memory for the number of elements that a vector
// declares before it reads them, so a module of thirty bytes could request gigabytes. In a module that Parse accepts,
// no declared count is larger than its bytes can hold, or exceeds the limits in limits.go.
//
// The package depends on the standard library alone and never panics, whatever the input.
package binary
