// SPDX-License-Identifier: Apache-2.0

// Package wasi implements the functions of WASI preview 1 (wasi_snapshot_preview1) for guests that have clocks,
// randomness and standard streams, but no arguments, environment variables, files or sockets.
//
// A host function runs outside the metered code of the guest, and the guest chooses its arguments. Each function
// therefore checks the deadline on entry and charges fuel for the bytes that it moves. It moves them in chunks and
// checks the deadline between chunks. It limits every count before it reads the counted elements. Paths are never read,
// because there is no open directory to which they could be relative. docs/adr/0023-wasi.md records why wazero's
// functions are not used.
//
// Signatures, error numbers and layouts are those of the WASI snapshot-01 document.
package wasi
