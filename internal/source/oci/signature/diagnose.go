// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"io"
	"time"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"github.com/sigstore/sigstore-go/pkg/verify"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// diagnose returns why a signature with a certificate was not accepted. The verifier's error is a text, so the checks run
// once more, one by one, to find the first that fails. The result of diagnose is a message: it accepts nothing.
func (k *Keyless) diagnose(s candidate, leaf *x509.Certificate, summary certificate.Summary, cause error) finding {
	material := k.root.material
	if err := matches(s, material); err != nil {
		return found(pluginsv1alpha1.ReasonSignatureInvalid, s.where, err,
			"does not match what it signs: one of them was changed, sign the artifact again")
	}
	times, why := k.times(s, leaf)
	if why != nil {
		return why
	}
	chains, why := k.chains(s, leaf, times)
	if why != nil {
		return why
	}
	if err := verify.VerifySignedCertificateTimestamp(chains, 1, material); err != nil {
		return found(pluginsv1alpha1.ReasonCertificateUntrusted, s.where, err,
			"has a certificate that no log in ctlogs of the trusted root has recorded: update the trusted root, or sign with a CA of it")
	}
	if err := k.identity.Verify(summary); err != nil {
		return found(pluginsv1alpha1.ReasonSignedByAnotherIdentity, s.where, nil,
			"was made by subject %s of issuer %s, not by subject %s of issuer %q: sign with that identity, or correct it in the spec",
			quoted(summary.SubjectAlternativeName), quoted(summary.Issuer), k.subject, k.issuer)
	}
	return found(pluginsv1alpha1.ReasonSignatureInvalid, s.where, cause, "is not valid: sign the artifact again")
}

// matches checks a signature with the key in its certificate.
func matches(s candidate, material root.TrustedMaterial) error {
	signed, err := s.bundle.SignatureContent()
	if err != nil {
		return err
	}
	content, err := s.bundle.VerificationContent()
	if err != nil {
		return err
	}
	if !s.hasStatement() {
		return verify.VerifySignatureWithArtifacts(signed, content, material, []io.Reader{bytes.NewReader(s.message)})
	}
	sum, err := hex.DecodeString(s.subject.Encoded())
	if err != nil {
		return err
	}
	return verify.VerifySignatureWithArtifactDigests(signed, content, material,
		[]verify.ArtifactDigest{{Algorithm: s.subject.Algorithm().String(), Digest: sum}})
}

// times returns the trusted times of a signature, from the transparency log and from timestamp authorities.
func (k *Keyless) times(s candidate, leaf *x509.Certificate) ([]time.Time, finding) {
	entries, err := s.bundle.TlogEntries()
	if err != nil {
		return nil, malformed(s.where, err)
	}
	if len(entries) == 0 {
		return nil, found(pluginsv1alpha1.ReasonNotInTransparencyLog, s.where, nil,
			"has no entry of a transparency log: sign without --tlog-upload=false")
	}
	logged, err := verify.VerifyTlogEntry(s.bundle, k.root.material, 1, true)
	if err != nil {
		if at := integratedOutside(entries, leaf); !at.IsZero() {
			return nil, expired(s.where, leaf, at)
		}
		return nil, found(pluginsv1alpha1.ReasonNotInTransparencyLog, s.where, err,
			"is not proved by a log in tlogs of the trusted root: update the trusted root, or sign the artifact again")
	}
	stamped, failures, err := verify.VerifySignedTimestamp(s.bundle, k.root.material)
	if err != nil {
		return nil, malformed(s.where, err)
	}
	var times []time.Time
	for _, t := range logged {
		times = append(times, t.Time)
	}
	for _, t := range stamped {
		times = append(times, t.Time)
	}
	if len(times) > 0 {
		return times, nil
	}
	if len(failures) > 0 {
		err = failures[0]
	}
	return nil, found(pluginsv1alpha1.ReasonCertificateExpired, s.where, err,
		"has no time that the trusted root proves, so that its certificate counts as expired: sign with a timestamp authority of the trusted root")
}

// chains returns the chains from the certificate to a CA of the trusted root, at the times of the signature.
func (k *Keyless) chains(s candidate, leaf *x509.Certificate, times []time.Time) (chains [][]*x509.Certificate, why finding) {
	for _, at := range times {
		var err error
		chains, err = verify.VerifyLeafCertificate(at, leaf, k.root.material)
		switch {
		case err == nil:
		case isOutside(leaf, at):
			return nil, expired(s.where, leaf, at)
		default:
			return nil, found(pluginsv1alpha1.ReasonCertificateUntrusted, s.where, err,
				"has a certificate of %s, which is not below a CA in certificateAuthorities of the trusted root: update the trusted root, or sign with a CA of it",
				quoted(leaf.Issuer.String()))
		}
	}
	return chains, nil
}

func isOutside(leaf *x509.Certificate, at time.Time) bool {
	return at.Before(leaf.NotBefore) || at.After(leaf.NotAfter)
}

// integratedOutside returns the time of a log entry that was made while the certificate was not valid, or 0.
func integratedOutside(entries []*tlog.Entry, leaf *x509.Certificate) time.Time {
	for _, entry := range entries {
		if at := entry.IntegratedTime(); !at.IsZero() && isOutside(leaf, at) {
			return at
		}
	}
	return time.Time{}
}

func expired(where string, leaf *x509.Certificate, at time.Time) finding {
	return found(pluginsv1alpha1.ReasonCertificateExpired, where, nil,
		"was made at %s, but its certificate is valid from %s to %s: sign the artifact again",
		at.UTC().Format(time.RFC3339), leaf.NotBefore.UTC().Format(time.RFC3339), leaf.NotAfter.UTC().Format(time.RFC3339))
}
