// SPDX-License-Identifier: Apache-2.0

// Package api implements tests of the WasmPlugin resource against a real API server. Every limit and every CEL rule has
// a case that it rejects and a case that it accepts.
package api
