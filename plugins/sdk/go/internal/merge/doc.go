// SPDX-License-Identifier: Apache-2.0

// Package merge carries over to an object what a handler changed in a typed view of it.
//
// There are three texts: the object as the API server sent it; before, which is what the Go type writes
// right after reading the object; and after, which the type writes once the handler has run. The type may
// have fewer fields than the object, so after cannot replace it: the result is the object with the
// differences between before and after. The rules are part of the guest ABI, docs/spec/abi.md; every SDK
// has to pass the vectors in test/conformance/testdata/merge.json.
package merge
