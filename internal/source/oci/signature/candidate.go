// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"bytes"
	"encoding/hex"

	"github.com/opencontainers/go-digest"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/verify"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// candidate is one signature. What it says about the artifact was compared with the artifact's digest; whether that is
// true, nobody has verified yet.
type candidate struct {
	// where is where the signature is stored, for messages.
	where  string
	bundle *bundle.Bundle
	// message is what the signature signs, unless the bundle has a statement about the digest subject.
	message []byte
	subject digest.Digest
}

// hasStatement reports whether the signature is of a statement, and not of a message.
func (c candidate) hasStatement() bool { return c.bundle.GetDsseEnvelope() != nil }

// artifact returns the artifact policy of one verification; it is used up by it.
func (c candidate) artifact() (verify.ArtifactPolicyOption, error) {
	if !c.hasStatement() {
		return verify.WithArtifact(bytes.NewReader(c.message)), nil
	}
	sum, err := hex.DecodeString(c.subject.Encoded())
	if err != nil {
		return nil, err
	}
	return verify.WithArtifactDigest(c.subject.Algorithm().String(), sum), nil
}

func malformed(where string, cause error) finding {
	return found(pluginsv1alpha1.ReasonSignatureMalformed, where, cause, "cannot be read: sign the artifact again, and remove this signature")
}

// ofAnotherDigest is the finding of a signature that was copied from another artifact.
func ofAnotherDigest(where, signed string, subject digest.Digest) finding {
	return found(pluginsv1alpha1.ReasonSignatureOfAnotherDigest, where, nil,
		"was made for the digest %s, not for %s: sign this artifact", quoted(signed), subject)
}
