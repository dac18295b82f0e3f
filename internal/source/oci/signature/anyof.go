// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"bytes"
	"crypto"
	"io"

	sigstore "github.com/sigstore/sigstore/pkg/signature"
)

// anyOf verifies with several algorithms for the same key. It accepts what one of them accepts.
type anyOf []sigstore.Verifier

// PublicKey returns the key.
func (a anyOf) PublicKey(options ...sigstore.PublicKeyOption) (crypto.PublicKey, error) {
	return a[0].PublicKey(options...)
}

// VerifySignature returns the error of the last algorithm, if none accepts the signature.
func (a anyOf) VerifySignature(signature, message io.Reader, options ...sigstore.VerifyOption) error {
	signed, err := io.ReadAll(signature)
	if err != nil {
		return err
	}
	content, err := io.ReadAll(message)
	if err != nil {
		return err
	}
	for _, verifier := range a {
		if err = verifier.VerifySignature(bytes.NewReader(signed), bytes.NewReader(content), options...); err == nil {
			return nil
		}
	}
	return err
}
