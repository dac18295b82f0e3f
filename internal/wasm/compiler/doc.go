// SPDX-License-Identifier: Apache-2.0

// Package compiler implements the compilation of WebAssembly modules to native code in a child process.
//
// A compiler cannot be stopped in the middle of a function, and some functions of a few hundred bytes keep it busy for
// hours and use gigabytes. A process can be stopped: the child has limits of processor time and memory, is killed when
// its caller gives up, and leaves the native code in the directory from which the operator's own runtime reads it.
// docs/adr/0025-compilation.md records the reasons.
//
// The child runs the same program with an additional environment variable. Dispatch, which main calls first, runs it.
package compiler
