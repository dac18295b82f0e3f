// SPDX-License-Identifier: Apache-2.0

// Package compiler compiles WebAssembly modules to native code in a child process.
//
// A compiler cannot be stopped in the middle of a function, and there are functions of a few hundred bytes that keep it
// busy for hours and gigabytes. A process can: the child has limits of processor time and memory, is killed when its
// caller gives up, and leaves the native code in the directory from which the operator's own runtime reads it.
// docs/adr/0025-compilation.md records why.
//
// The child is the same program, started with a variable in its environment: Dispatch, first thing in main, runs it.
package compiler
