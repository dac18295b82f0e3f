// SPDX-License-Identifier: Apache-2.0

package signature

import "github.com/opencontainers/go-digest"

// Limits of what is read of an artifact's signatures. Whoever can push to the repository can add signatures, so these
// decide how much work an attacker can cause, and how many signatures of others may stand before the valid one.
const (
	// maxReferrers is the maximum number of descriptors of referrers that a mirror or the registry lists. A descriptor has a few hundred bytes. Most
	// referrers are not signatures (SBOMs, attestations) and are not read.
	maxReferrers = 1000
	// maxManifests is the maximum number of manifests that are read of the tag, or of the referrers. Releases are signed by one to three
	// parties, and again after each change of a key.
	maxManifests = 32
	// maxSignatures is the maximum number of signatures that are verified of the tag, or of the referrers. With maxKeys keys, these are
	// about a thousand verifications of 0.1 ms each.
	maxSignatures = 64
	// maxManifestBytes is the maximum size of a manifest with signatures: the size of a manifest that registries have to
	// accept (OCI distribution specification). cosign's old format keeps certificates and log entries in it, about 8 KiB
	// for a signature.
	maxManifestBytes = 4 << 20
	// maxPayloadBytes is the maximum size of a simple signing payload. It has about 250 bytes, and the annotations of
	// the signer.
	maxPayloadBytes = 64 << 10
	// maxBundleBytes is the maximum size of a Sigstore bundle. A keyless one has about 10 KiB.
	maxBundleBytes = 256 << 10
	// maxAnnotationBytes is the maximum size of an annotation of a signature. The largest, the log entry, has 4 KiB.
	maxAnnotationBytes = 64 << 10
	// maxPlaceBytes is the maximum number of bytes that are read of the tag, or of the referrers. It is enough for the largest manifest, and
	// the largest payloads of maxSignatures.
	maxPlaceBytes = maxManifestBytes + maxSignatures*maxPayloadBytes
)

// Limits of a policy. Its author is a user of one namespace, but all plugins share the operator's time.
const (
	// maxKeys is the maximum number of keys of a policy: each signature is verified with each of them.
	maxKeys = 16
	// maxKeyBytes is the maximum size of a PEM file with a public key. One of RSA with 8192 bits has 1.4 KiB.
	maxKeyBytes = 16 << 10
	// maxRSABits is the maximum size of an RSA key. The time of a verification grows with its square.
	maxRSABits = 8192
	// minRSABits is the minimum size of an RSA key: NIST SP 800-131A disallows shorter ones.
	minRSABits = 2048
	// maxTrustedRootBytes is the maximum size of a trusted root. It comes from a ConfigMap, which has at most 1 MiB.
	maxTrustedRootBytes = 1 << 20
	// maxIdentityBytes is the maximum size of an issuer, a subject or a regular expression. Subjects are email addresses
	// or URLs of workflows.
	maxIdentityBytes = 1024
)

// budget is what may still be read of the tag, or of the referrers. Each has its own, so that signatures in one do not hide
// those in the other. Mirrors do not add to it: what they have too is not read again.
type budget struct {
	manifests, signatures int
	bytes                 int64
	known                 map[digest.Digest]bool
}

func newBudget() *budget {
	return &budget{manifests: maxManifests, signatures: maxSignatures, bytes: maxPlaceBytes, known: map[digest.Digest]bool{}}
}

// isKnown reports whether it was called with the digest of a manifest before.
func (b *budget) isKnown(d digest.Digest) bool {
	known := b.known[d]
	b.known[d] = true
	return known
}

// takeManifest reports whether another manifest may be read.
func (b *budget) takeManifest() bool {
	b.manifests--
	return b.manifests >= 0
}

// takeSignature reports whether another signature may be verified.
func (b *budget) takeSignature() bool {
	b.signatures--
	return b.signatures >= 0
}

// takeBytes reports whether so many bytes may be read.
func (b *budget) takeBytes(n int64) bool {
	b.bytes -= n
	return b.bytes >= 0
}
