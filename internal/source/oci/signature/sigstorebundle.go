// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"errors"
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/sigstore/sigstore-go/pkg/bundle"
)

// cosign's new format: a layer is a Sigstore bundle.
const (
	// typeBundlePrefix is the beginning of the media types of all versions of bundles.
	typeBundlePrefix = "application/vnd.dev.sigstore.bundle"
	// oldestBundle is the oldest version that is stored in registries.
	oldestBundle = "v0.3"
	// predicateSignature is the predicate type of a statement that is a signature. Other statements (SBOMs, provenance,
	// results of scans) say something about the artifact, but not that their signer approves of it.
	predicateSignature = "https://sigstore.dev/cosign/sign/v1"
)

func isBundle(mediaType string) bool { return strings.HasPrefix(mediaType, typeBundlePrefix) }

// errNotASignature is the error of a bundle that holds something else than a signature.
var errNotASignature = errors.New("the bundle is not a signature")

// bundleCandidate converts a Sigstore bundle. It returns false if the bundle is not a signature. If the bundle has no
// statement, it signs the manifest of the artifact, which is then the candidate's message, and the caller sets it.
func bundleCandidate(where string, content []byte, subject digest.Digest) (c candidate, isSignature bool, why finding) {
	c = candidate{where: where, bundle: new(bundle.Bundle), subject: subject}
	err := guarded("read the bundle", func() (err error) {
		if err := c.bundle.UnmarshalJSON(content); err != nil {
			return err
		}
		if !c.bundle.MinVersion(oldestBundle) {
			return fmt.Errorf("it is older than %s", oldestBundle)
		}
		if c.hasStatement() {
			why, err = checkStatement(where, c.bundle, subject)
		}
		return err
	})
	switch {
	case errors.Is(err, errNotASignature):
		return candidate{}, false, nil
	case err != nil:
		return candidate{}, true, malformed(where, err)
	default:
		return c, true, why
	}
}

// checkStatement compares what a bundle states with the digest of the artifact.
func checkStatement(where string, b *bundle.Bundle, subject digest.Digest) (finding, error) {
	envelope, err := b.Envelope()
	if err != nil {
		return nil, err
	}
	statement, err := envelope.Statement()
	if err != nil {
		return nil, err
	}
	if statement.GetPredicateType() != predicateSignature {
		return nil, errNotASignature
	}
	algorithm, stated := subject.Algorithm().String(), ""
	for _, resource := range statement.GetSubject() {
		if stated = resource.GetDigest()[algorithm]; stated == subject.Encoded() {
			return nil, nil //nolint:nilnil // the statement is about the artifact
		}
	}
	return ofAnotherDigest(where, algorithm+":"+stated, subject), nil
}
