// SPDX-License-Identifier: Apache-2.0

// Package wasi implements the functions of WASI preview 1 (wasi_snapshot_preview1) for guests that have clocks,
// randomness, and standard streams, and neither arguments nor environment, files or sockets.
//
// A host function runs outside of the guest's metered code, and the guest chooses its arguments. So each function
// checks the deadline on entry, charges fuel for the bytes that it moves, moves them in chunks between which it checks
// the deadline again, and limits every count before it reads what is counted. Paths are never read: there is no
// directory that they could start in. docs/adr/0023-wasi.md records why these are not wazero's functions.
//
// Signatures, error numbers and layouts are those of the WASI snapshot-01 document.
package wasi
