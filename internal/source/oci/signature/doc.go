// SPDX-License-Identifier: Apache-2.0

// Package signature implements the verification of cosign signatures of OCI manifests.
//
// It finds signatures where cosign stores them, in the repository of the artifact:
//
//   - layers with a simple signing payload, in the manifest that has the tag sha256-<digest>.sig, or in a manifest that
//     refers to the artifact (cosign 1 and 2);
//   - Sigstore bundles v0.3, in manifests that refer to the artifact (cosign 3): a DSSE envelope with an in-toto
//     statement, or a signature of the artifact's manifest itself.
//
// Both become Sigstore bundles, which github.com/sigstore/sigstore-go verifies, without any network access. A public
// key verifies the signature, and nothing else is required. An identity (keyless) requires a certificate that a CA of
// the trusted root issued, a certificate transparency log that recorded the certificate, a transparency log that
// recorded the signature, and a trusted time of the signature at which the certificate was valid.
//
// Everything in a registry is untrusted: whoever can push there decides what this package reads. So the number and the
// sizes of what it reads are limited before it reads them (limits.go), and a panic of a parser is the error of one
// signature (guard.go).
//
// The certificate chain that cosign stores with a signature is ignored: intermediate CAs come from the trusted root.
package signature
