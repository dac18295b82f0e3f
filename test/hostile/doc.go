// SPDX-License-Identifier: Apache-2.0

// Package hostile attacks the engine with modules that loop, recurse, take memory, lie and flood, and
// looks at what they must not reach: the deadline of their own call, a neighbor in the same engine, the
// garbage collector, and the memory of the process when they are gone. Each attack has a process of its
// own, so that one that gets through is a failed test and nothing worse.
//
// A fixture in testdata answers the input "good" and does what its first lines say for an input of seven
// bytes, such as "hostile". Modules too large to be committed are made by code.
package hostile
