// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/k1s-io/k1s/internal/testenv/sigstore"
)

const (
	typeBundle = "application/vnd.dev.sigstore.bundle.v0.3+json"
	issuer     = sigstore.Issuer
	identity   = sigstore.Subject
)

// signing is a key that a policy can have.
type signing struct{ sigstore.Key }

func generate(t testing.TB, kind string) signing {
	t.Helper()
	return signing{sigstore.NewKey(t, kind)}
}

// key returns the key as a policy has it.
func (s signing) key(t testing.TB, name string) Key {
	t.Helper()
	key, err := ParseKey(name, s.PEM(t))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// keyless returns a policy for an identity of the instance.
func keyless(t testing.TB, i *sigstore.Instance, issuer, subject, subjectRegExp string) Policy {
	t.Helper()
	trusted, err := ParseTrustedRoot("the root", i.TrustedRoot(t))
	if err != nil {
		t.Fatal(err)
	}
	keyless, err := ParseKeyless(issuer, subject, subjectRegExp, trusted)
	if err != nil {
		t.Fatal(err)
	}
	return Policy{Keyless: keyless}
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
