// SPDX-License-Identifier: Apache-2.0

// Package abi implements the guest ABI, version 1, which connects the host and its guests: names, signatures, the
// packing of a reply into an i64, and the JSON payloads. The specification is docs/spec/abi.md. This package depends on
// the standard library alone, so that tools can use it.
package abi

// Version is the version of the guest ABI that this package implements. The k1s_abi_version export of a module returns
// it.
const Version = 1

// Limits of the ABI.
const (
	// MaxPayload is the maximum size in bytes of a payload in either direction.
	MaxPayload = 16 << 20
	// MaxMetadata is the maximum size in bytes of a PluginMetadata.
	MaxMetadata = 256 << 10
	// MaxLogMessage is the maximum size in bytes of a log message. Longer messages are truncated.
	MaxLogMessage = 8 << 10
	// MaxRequeueAfterMillis is the maximum delay that a guest can request: one year.
	MaxRequeueAfterMillis = 365 * 24 * 60 * 60 * 1000
	// MaxBatch is the maximum number of requests in one call of reconcile_batch.
	MaxBatch = 256
	// MaxRandom is the maximum number of bytes that one k1s_random call can request.
	MaxRandom = 64 << 10
)
