// SPDX-License-Identifier: Apache-2.0

// Package conformance runs plugins that were written from docs/spec/abi.md alone through the engine,
// against a host that records what they ask for.
package conformance
