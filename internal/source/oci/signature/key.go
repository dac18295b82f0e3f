// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"

	sigstore "github.com/sigstore/sigstore/pkg/signature"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// Key is a public key whose signatures count.
type Key struct {
	name     string
	verifier sigstore.Verifier
	// hint is how a Sigstore bundle names the key: the SHA-256 of its PKIX encoding, in base64.
	hint string
}

// Name returns where the key is from.
func (k Key) Name() string { return k.name }

// pemPublicKey is the type of the only block of cosign.pub.
const pemPublicKey = "PUBLIC KEY"

// ParseKey reads a public key in PEM (PKIX): ECDSA with P-256, P-384 or P-521, RSA with 2048 to 8192 bits, or Ed25519.
// The name says where it is from, for messages: `key "cosign.pub" of ConfigMap "keys"`. Errors are *plugin.LoadError.
func ParseKey(name string, text []byte) (Key, error) {
	key, err := parseKey(text)
	if err != nil {
		return Key{}, &plugin.LoadError{
			Reason:  pluginsv1alpha1.ReasonVerificationKeyInvalid,
			Message: fmt.Sprintf("%s is not a public key for signatures: store the file cosign.pub there, which `cosign generate-key-pair` or `cosign public-key` writes", name),
			Err:     err,
		}
	}
	key.name = name
	return key, nil
}

func parseKey(text []byte) (Key, error) {
	if len(text) > maxKeyBytes {
		return Key{}, fmt.Errorf("it has %d bytes, more than %d", len(text), maxKeyBytes)
	}
	block, rest := pem.Decode(text)
	switch {
	case block == nil:
		return Key{}, errors.New("it is not PEM")
	case block.Type != pemPublicKey:
		return Key{}, fmt.Errorf("it holds a %q, not a %q", block.Type, pemPublicKey)
	case len(bytes.TrimSpace(rest)) > 0:
		return Key{}, errors.New("it holds more than one key: store each in a field of its own")
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return Key{}, err
	}
	verifier, err := verifierOf(public)
	if err != nil {
		return Key{}, err
	}
	hint, err := hintOf(public)
	return Key{verifier: verifier, hint: hint}, err
}

// hintOf returns how a Sigstore bundle names a public key.
func hintOf(public crypto.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(der)
	return base64.StdEncoding.EncodeToString(sum[:]), nil
}

// verifierOf returns a verifier for all algorithms that versions of cosign sign with, for a type of key. cosign 2 signed
// with SHA-256 for all curves, cosign 3 uses the hash of the curve's size; and it signs a hash for the transparency log
// (Ed25519ph), or the message itself, with Ed25519.
func verifierOf(public crypto.PublicKey) (sigstore.Verifier, error) {
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		hashes := []crypto.Hash{crypto.SHA256}
		switch key.Curve {
		case elliptic.P256():
		case elliptic.P384():
			hashes = append(hashes, crypto.SHA384)
		case elliptic.P521():
			hashes = append(hashes, crypto.SHA512)
		default:
			return nil, fmt.Errorf("it is an ECDSA key of the curve %s: P-256, P-384 and P-521 are supported", key.Params().Name)
		}
		var all anyOf
		for _, hash := range hashes {
			verifier, err := sigstore.LoadECDSAVerifier(key, hash)
			if err != nil {
				return nil, err
			}
			all = append(all, verifier)
		}
		return all, nil
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return nil, fmt.Errorf("it is an RSA key of %d bits: %d to %d are supported", bits, minRSABits, maxRSABits)
		}
		return sigstore.LoadRSAPKCS1v15Verifier(key, crypto.SHA256)
	case ed25519.PublicKey:
		message, err := sigstore.LoadED25519Verifier(key)
		if err != nil {
			return nil, err
		}
		hash, err := sigstore.LoadED25519phVerifier(key)
		return anyOf{message, hash}, err
	default:
		return nil, fmt.Errorf("it is a key of the type %T: ECDSA, RSA and Ed25519 are supported", public)
	}
}
