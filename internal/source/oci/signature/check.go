// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// checker verifies candidates with a policy.
type checker struct {
	keys     []keyChecker
	keyless  *Keyless
	verifier *verify.Verifier // for keyless
}

type keyChecker struct {
	Key
	verifier *verify.Verifier
}

func newChecker(p Policy) (*checker, error) {
	if len(p.Keys) == 0 && p.Keyless == nil {
		return nil, errors.New("the policy has neither a key nor an identity")
	}
	if len(p.Keys) > maxKeys {
		return nil, fmt.Errorf("the policy has %d keys, more than %d", len(p.Keys), maxKeys)
	}
	c := &checker{keyless: p.Keyless}
	for _, key := range p.Keys {
		if key.verifier == nil {
			return nil, errors.New("a key of the policy is not from ParseKey")
		}
		// A key of the policy is valid until it is removed from there.
		lasting := root.NewExpiringKey(key.verifier, time.Time{}, time.Time{})
		material := root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) { return lasting, nil })
		verifier, err := verify.NewVerifier(material, verify.WithNoObserverTimestamps(), verify.WithoutStatementPredicate())
		if err != nil {
			return nil, err
		}
		c.keys = append(c.keys, keyChecker{Key: key, verifier: verifier})
	}
	if p.Keyless == nil {
		return c, nil
	}
	if p.Keyless.root == nil {
		return nil, errors.New("the identity of the policy is not from ParseKeyless")
	}
	var err error
	c.verifier, err = verify.NewVerifier(p.Keyless.root.material, verify.WithSignedCertificateTimestamps(1),
		verify.WithTransparencyLog(1), verify.WithObserverTimestamps(1), verify.WithoutStatementPredicate())
	return c, err
}

// check returns who made a signature, or why it does not count.
func (c *checker) check(s candidate) (signer Signer, why finding) {
	err := guarded("verify the signature", func() error {
		content, err := s.bundle.VerificationContent()
		if err != nil {
			return err
		}
		if leaf := content.Certificate(); leaf != nil {
			signer, why = c.byIdentity(s, leaf)
			return nil
		}
		signer, why = c.byKey(s, content.PublicKey().Hint())
		return nil
	})
	if err != nil {
		return Signer{}, malformed(s.where, err)
	}
	return signer, why
}

// byKey verifies a signature by a key. The hint is which key the bundle says it is.
func (c *checker) byKey(s candidate, hint string) (Signer, finding) {
	if len(c.keys) == 0 {
		return Signer{}, found(pluginsv1alpha1.ReasonSignedByAnotherKey, s.where, nil,
			"was made with a key, but the spec accepts only subject %s of issuer %q: sign without --key, or add the key to the spec", c.keyless.subject, c.keyless.issuer)
	}
	var cause error
	for _, key := range c.keys {
		_, err := verifyWith(key.verifier, s, verify.WithKey())
		if err == nil {
			return Signer{Digest: s.subject, Key: key.name}, nil
		}
		if key.hint == hint {
			cause = err
		}
	}
	if cause != nil {
		return Signer{}, found(pluginsv1alpha1.ReasonSignatureInvalid, s.where, cause,
			"is by a key of the spec, but does not match what it signs: one of them was changed, sign the artifact again")
	}
	names := c.keys[0].name
	if more := len(c.keys) - 1; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	return Signer{}, found(pluginsv1alpha1.ReasonSignedByAnotherKey, s.where, nil,
		"does not match %s: sign with that key, or add the public key of the signer to the spec", names)
}

// byIdentity verifies a signature by the key of a certificate.
func (c *checker) byIdentity(s candidate, leaf *x509.Certificate) (Signer, finding) {
	// The summary is made first, as verifying changes the certificate.
	summary, err := certificate.SummarizeCertificate(leaf)
	if err != nil {
		return Signer{}, malformed(s.where, err)
	}
	if c.keyless == nil {
		return Signer{}, found(pluginsv1alpha1.ReasonSignedByAnotherKey, s.where, nil,
			"was made by subject %s of issuer %s, but the spec accepts only keys: sign with --key, or add the identity to the spec",
			quoted(summary.SubjectAlternativeName), quoted(summary.Issuer))
	}
	result, err := verifyWith(c.verifier, s, verify.WithCertificateIdentity(c.keyless.identity))
	if err != nil {
		return Signer{}, c.keyless.diagnose(s, leaf, summary, err)
	}
	return Signer{
		Digest: s.subject, Issuer: result.Signature.Certificate.Issuer,
		Subject: result.Signature.Certificate.SubjectAlternativeName,
	}, nil
}

// verifyWith verifies a signature, and that what it signs is what the candidate was made from.
func verifyWith(verifier *verify.Verifier, s candidate, signer verify.PolicyOption) (*verify.VerificationResult, error) {
	artifact, err := s.artifact()
	if err != nil {
		return nil, err
	}
	result, err := verifier.Verify(s.bundle, verify.NewPolicy(artifact, signer))
	if err != nil {
		return nil, err
	}
	if s.hasStatement() && result.Statement.GetPredicateType() != predicateSignature {
		return nil, errNotASignature
	}
	return result, nil
}
