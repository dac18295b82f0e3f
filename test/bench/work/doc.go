// SPDX-License-Identifier: Apache-2.0

// Package work is what every measured plugin does, whatever its language: the input, the object it
// reads, and the result that it must come to. Run is the native peer, and what the others' results are
// held against.
//
// One reconcile of an Item reads the request with the whole object (1.5 KB), asks once for the Item's
// Category, reads that (0.9 KB), and replies with a number that depends on nearly everything it has read.
// guests/README.md has the algorithm in words.
package work
