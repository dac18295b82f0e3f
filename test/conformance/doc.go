// SPDX-License-Identifier: Apache-2.0

// Package conformance runs plugins that were written from docs/spec/abi.md alone through the engine,
// against a host that records what they ask for.
//
// testdata/merge.json has vectors for every SDK that gives its users types with fewer fields than the objects
// have, see "Views of objects" in that document. A guest of such an SDK is one more call of mergeGuest.
package conformance
