// SPDX-License-Identifier: Apache-2.0

// Package work defines the work of every plugin that the benchmark measures, in whatever language: the input, the
// object that it reads, and the result that it must return. The function Run is the native peer, and its result is what
// the others are compared with.
//
// One reconcile of an Item reads the request with the whole object (1.5 KB), reads the Item's Category from the host
// once (0.9 KB), and replies with a number that depends on nearly everything it has read. guests/README.md describes
// the algorithm.
package work
