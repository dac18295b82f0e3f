// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/opencontainers/go-digest"
	"github.com/sigstore/sigstore-go/pkg/verify"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// Policy says whose signatures count: those of any of the keys, and those of the keyless identity.
type Policy struct {
	// Keys are at most 16.
	Keys    []Key
	Keyless *Keyless
}

// Keyless is an identity whose signatures count, with a certificate in place of a key. ParseKeyless returns one.
type Keyless struct {
	issuer string
	// subject is for messages: the subject, or the regular expression for it.
	subject  string
	identity verify.CertificateIdentity
	root     *TrustedRoot
}

// ParseKeyless returns an identity: the issuer of the token that the signer authenticated with, and the subject in it,
// which is either equal to subject, or matches the regular expression subjectRegExp as a whole. Errors are
// *plugin.LoadError.
func ParseKeyless(issuer, subject, subjectRegExp string, trusted *TrustedRoot) (*Keyless, error) {
	k, err := parseKeyless(issuer, subject, subjectRegExp, trusted)
	if err != nil {
		return nil, &plugin.LoadError{
			Reason:  pluginsv1alpha1.ReasonIdentityInvalid,
			Message: "the identity of the signer is not valid: set an issuer, and either a subject or a regular expression for it",
			Err:     err,
		}
	}
	return k, nil
}

func parseKeyless(issuer, subject, subjectRegExp string, trusted *TrustedRoot) (*Keyless, error) {
	for _, text := range []string{issuer, subject, subjectRegExp} {
		if len(text) > maxIdentityBytes {
			return nil, fmt.Errorf("a text of it has %d bytes, more than %d", len(text), maxIdentityBytes)
		}
	}
	switch {
	case issuer == "":
		return nil, errors.New("it has no issuer")
	case (subject == "") == (subjectRegExp == ""):
		return nil, errors.New("it needs one of subject and regular expression")
	case trusted == nil:
		return nil, errors.New("it has no trusted root")
	}
	k := &Keyless{issuer: issuer, subject: fmt.Sprintf("%q", subject), root: trusted}
	anchored := ""
	if subjectRegExp != "" {
		// Alone first: a text such as "a)|(b" is only valid between the parentheses of the anchored one.
		if _, err := regexp.Compile(subjectRegExp); err != nil {
			return nil, err
		}
		anchored = `\A(?:` + subjectRegExp + `)\z`
		k.subject = fmt.Sprintf("that matches %q", subjectRegExp)
	}
	var err error
	k.identity, err = verify.NewShortCertificateIdentity(issuer, "", subject, anchored)
	return k, err
}

// Signer is who signed an artifact.
type Signer struct {
	// Digest is the digest of the manifest that was signed. Nothing else may be used of the artifact afterwards.
	Digest digest.Digest
	// Key is the name of the key, if a key signed.
	Key string
	// Issuer and Subject are the identity in the certificate, if an identity signed.
	Issuer, Subject string
}

// String returns the signer for messages.
func (s Signer) String() string {
	if s.Key != "" {
		return s.Key
	}
	return fmt.Sprintf("subject %q of issuer %q", s.Subject, s.Issuer)
}
