// SPDX-License-Identifier: Apache-2.0

package sigstore

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"testing"
)

// Key is a private key, and the algorithm that it signs with.
type Key struct {
	Private crypto.Signer
	options crypto.SignerOpts
}

// NewKey returns a new key of a kind, such as "P-256".
func NewKey(t testing.TB, kind string) Key {
	t.Helper()
	var private crypto.Signer
	var err error
	options := crypto.SignerOpts(crypto.SHA256)
	switch kind {
	case "P-256":
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "P-384 with SHA-256":
		private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "P-384":
		private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		options = crypto.SHA384
	case "P-521 with SHA-256":
		private, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "P-521":
		private, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
		options = crypto.SHA512
	case "P-224":
		private, err = ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	case "RSA 1024":
		t.Setenv("GODEBUG", "rsa1024min=0")
		private, err = rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // a key that is to be rejected
	case "RSA 2048":
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	case "Ed25519":
		_, private, err = ed25519.GenerateKey(rand.Reader)
		options = crypto.Hash(0)
	case "Ed25519ph":
		_, private, err = ed25519.GenerateKey(rand.Reader)
		options = crypto.SHA512
	default:
		t.Fatalf("unknown kind of key %q", kind)
	}
	if err != nil {
		t.Fatal(err)
	}
	return Key{Private: private, options: options}
}

// Sign returns the signature of a message.
func (k Key) Sign(t testing.TB, message []byte) []byte {
	t.Helper()
	sum := message
	if hash := k.options.HashFunc(); hash != 0 {
		h := hash.New()
		h.Write(message)
		sum = h.Sum(nil)
	}
	signed, err := k.Private.Sign(rand.Reader, sum, k.options)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// PEM returns the file cosign.pub.
func (k Key) PEM(t testing.TB) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(k.Private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}
