// SPDX-License-Identifier: Apache-2.0

// Package abi is the wire between host and guest, version 1: names, signatures, the packing of a
// reply into an i64, and the JSON payloads. The contract itself is docs/spec/abi.md; this package
// is its Go reading, and depends on the standard library alone so that tools can use it.
package abi

// Version is the version of the guest ABI that this package describes; a module's k1s_abi_version
// export returns it.
const Version = 1

// Limits of the contract.
const (
	// MaxPayload is the size in bytes of the largest payload that crosses in either direction.
	MaxPayload = 16 << 20
	// MaxMetadata is the size in bytes of the largest PluginMetadata.
	MaxMetadata = 256 << 10
	// MaxLogMessage is how many bytes of one log message are kept; the rest is cut off.
	MaxLogMessage = 8 << 10
	// MaxRequeueAfterMillis is the longest pause that a guest may ask for: a year.
	MaxRequeueAfterMillis = 365 * 24 * 60 * 60 * 1000
	// MaxBatch is the most requests that one call of reconcile_batch gets.
	MaxBatch = 256
	// MaxRandom is how many bytes one k1s_random call may ask for.
	MaxRandom = 64 << 10
)
