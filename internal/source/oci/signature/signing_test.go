// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// signing is a private key, and the algorithm that it signs with.
type signing struct {
	private crypto.Signer
	options crypto.SignerOpts
}

const typeBundle = "application/vnd.dev.sigstore.bundle.v0.3+json"

func generate(t testing.TB, kind string) signing {
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
		private, err = rsa.GenerateKey(rand.Reader, 1024)
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
	return signing{private: private, options: options}
}

func (s signing) sign(t testing.TB, message []byte) []byte {
	t.Helper()
	sum := message
	if hash := s.options.HashFunc(); hash != 0 {
		h := hash.New()
		h.Write(message)
		sum = h.Sum(nil)
	}
	signed, err := s.private.Sign(rand.Reader, sum, s.options)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// pem returns the file cosign.pub.
func (s signing) pem(t testing.TB) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(s.private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// key returns the key as a policy has it.
func (s signing) key(t testing.TB, name string) Key {
	t.Helper()
	key, err := ParseKey(name, s.pem(t))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// simple returns the payload that cosign signs for a digest.
func simple(digest string) []byte {
	return fmt.Appendf(nil, `{"critical":{"identity":{"docker-reference":"registry.example/acme/plugin"},"image":{"docker-manifest-digest":%q},"type":"cosign container image signature"},"optional":null}`, digest)
}

// statement returns the in-toto statement that cosign signs for a digest.
func statement(sha256, predicate string) []byte {
	return fmt.Appendf(nil, `{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":%q}}],"predicateType":%q,"predicate":{}}`, sha256, predicate)
}

// proof is what a signature is stored with, besides itself.
type proof struct {
	certificate []byte // DER
	set         []byte // the annotation with the log entry
	entry       map[string]any
	timestamp   []byte
	hint        string
}

// simpleLayer stores a payload and its signature.
func simpleLayer(m *memory, payload, signed []byte, p proof) ocispec.Descriptor {
	d := m.push(typeSimpleSigning, payload)
	d.Annotations = map[string]string{annotationSignature: base64.StdEncoding.EncodeToString(signed)}
	if p.certificate != nil {
		d.Annotations[annotationCertificate] = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.certificate}))
	}
	if p.set != nil {
		d.Annotations[annotationLogEntry] = string(p.set)
	}
	if p.timestamp != nil {
		d.Annotations[annotationTimestamp] = fmt.Sprintf(`{"SignedRFC3161Timestamp":%q}`, base64.StdEncoding.EncodeToString(p.timestamp))
	}
	return d
}

// pae returns what a DSSE signature signs.
func pae(payload []byte) []byte {
	const payloadType = "application/vnd.in-toto+json"
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(payload), payload)
}

// dsse returns the content of a bundle with a statement.
func dsse(payload, signed []byte) map[string]any {
	return map[string]any{"dsseEnvelope": map[string]any{
		"payload": payload, "payloadType": "application/vnd.in-toto+json",
		"signatures": []any{map[string]any{"sig": signed}},
	}}
}

// messageSignature returns the content of a bundle that signs a message.
func messageSignature(message, signed []byte) map[string]any {
	sum := sha256.Sum256(message)
	return map[string]any{"messageSignature": map[string]any{
		"messageDigest": map[string]any{"algorithm": "SHA2_256", "digest": sum[:]}, "signature": signed,
	}}
}

// bundleLayer stores a bundle with a content.
func bundleLayer(t testing.TB, m *memory, content map[string]any, p proof) ocispec.Descriptor {
	t.Helper()
	material := map[string]any{}
	if p.certificate != nil {
		material["certificate"] = map[string]any{"rawBytes": p.certificate}
	} else {
		material["publicKey"] = map[string]any{"hint": p.hint}
	}
	if p.entry != nil {
		material["tlogEntries"] = []any{p.entry}
	}
	if p.timestamp != nil {
		material["timestampVerificationData"] = map[string]any{"rfc3161Timestamps": []any{map[string]any{"signedTimestamp": p.timestamp}}}
	}
	content["mediaType"], content["verificationMaterial"] = typeBundle, material
	return m.pushJSON(t, typeBundle, content)
}
