// SPDX-License-Identifier: Apache-2.0

// Package sigstore is an instance of Sigstore in memory, for tests of keyless signatures: it issues certificates, records
// signatures, and has a trusted root. What cosign itself wrote is in the testdata of the package that verifies it.
package sigstore
