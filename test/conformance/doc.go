// SPDX-License-Identifier: Apache-2.0

// Package conformance implements tests of plugins that were written only from docs/spec/abi.md. They run in the engine,
// against a host that records their requests.
//
// testdata/merge.json has test vectors for every SDK whose types can have fewer fields than the objects, see "Views of
// objects" in that document. To test a guest of such an SDK, add a call of mergeGuest.
package conformance
