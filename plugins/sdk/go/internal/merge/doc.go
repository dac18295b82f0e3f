// SPDX-License-Identifier: Apache-2.0

// Package merge implements the merge of a handler's changes to a typed view of an object into the object.
//
// It works on three texts: the object as the API server sent it; before, which is what the Go type encodes right after
// decoding the object; and after, which is what the type encodes once the handler has run. The type may have fewer
// fields than the object, so after cannot replace the object: the result is the object with the differences between
// before and after. The rules are part of the guest ABI, docs/spec/abi.md. Every SDK has to pass the test vectors in
// test/conformance/testdata/merge.json.
package merge
