// SPDX-License-Identifier: Apache-2.0

// Package api holds the WasmPlugin resource against a real API server: every bound and every CEL rule
// has a case that it refuses, beside one that it accepts.
package api
