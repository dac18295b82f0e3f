// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"slices"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/k1s-io/k1s/internal/testenv/sigstore"
)

const reference = "registry.example/acme/plugin:v1"

// formats store a signature of the subject by a key, in each of cosign's formats.
func formats() map[string]func(testing.TB, *memory, ocispec.Descriptor, signing) {
	attached := func(t testing.TB, m *memory, subject ocispec.Descriptor, s signing) ocispec.Descriptor {
		payload := simple(subject.Digest.String())
		return simpleLayer(m, payload, s.Sign(t, payload), proof{})
	}
	return map[string]func(testing.TB, *memory, ocispec.Descriptor, signing){
		"tag": func(t testing.TB, m *memory, subject ocispec.Descriptor, s signing) {
			m.attach(t, subject, attached(t, m, subject, s))
		},
		"referrer": func(t testing.TB, m *memory, subject ocispec.Descriptor, s signing) {
			m.refer(t, subject, typeCosignSignature, "", attached(t, m, subject, s))
		},
		"bundle with a statement": func(t testing.TB, m *memory, subject ocispec.Descriptor, s signing) {
			payload := statement(subject.Digest.Encoded(), predicateSignature)
			m.refer(t, subject, typeBundle, predicateSignature, bundleLayer(t, m, dsse(payload, s.Sign(t, sigstore.PAE(payload))), proof{hint: "k"}))
		},
		"bundle with a message": func(t testing.TB, m *memory, subject ocispec.Descriptor, s signing) {
			manifest := m.contents[subject.Digest]
			m.refer(t, subject, typeBundle, "", bundleLayer(t, m, messageSignature(manifest, s.Sign(t, manifest)), proof{hint: "k"}))
		},
		"bundle of unknown type": func(t testing.TB, m *memory, subject ocispec.Descriptor, s signing) {
			payload := statement(subject.Digest.Encoded(), predicateSignature)
			m.refer(t, subject, ocispec.MediaTypeEmptyJSON, "", bundleLayer(t, m, dsse(payload, s.Sign(t, sigstore.PAE(payload))), proof{hint: "k"}))
		},
	}
}

func TestVerify_key(t *testing.T) {
	t.Parallel()
	kinds := []string{"P-256", "P-384", "P-384 with SHA-256", "P-521", "P-521 with SHA-256", "RSA 2048", "Ed25519", "Ed25519ph"}
	for format, store := range formats() {
		for _, kind := range kinds {
			t.Run(format+" "+kind, func(t *testing.T) {
				t.Parallel()
				m, s := newMemory(), generate(t, kind)
				subject := m.artifact(t, "a")
				store(t, m, subject, s)
				other := generate(t, "P-256").key(t, "other")
				signer, err := Verify(t.Context(), []Repository{m}, subject, reference, Policy{Keys: []Key{other, s.key(t, "cosign.pub")}})
				if want := (Signer{Digest: subject.Digest, Key: "cosign.pub"}); err != nil || signer != want {
					t.Errorf("got %+v, %v, want %+v", signer, err, want)
				}
			})
		}
	}
}

// signature is a keyless signature of a subject, whose parts a test can replace before it is stored.
type keylessSignature struct {
	instance *sigstore.Instance
	signing  signing
	subject  ocispec.Descriptor
	// from is since when the certificate is valid, at is when the log recorded the signature.
	from, at time.Time
	ctLog    *sigstore.Key
	stamped  bool
	// unlogged leaves out the log entry.
	unlogged bool
	// tampered changes the signature after the log has recorded it.
	tampered bool
}

func newKeyless(t testing.TB, i *sigstore.Instance, subject ocispec.Descriptor) keylessSignature {
	t.Helper()
	now := time.Now()
	return keylessSignature{instance: i, signing: generate(t, "P-256"), subject: subject, from: now, at: now.Add(time.Minute), ctLog: &i.CTLog}
}

func (k keylessSignature) sign(t testing.TB, message []byte) (signed, certificate []byte) {
	t.Helper()
	return k.signing.Sign(t, message), k.instance.Certify(t, k.signing.Key, k.from, k.ctLog)
}

// stored returns the signature as it is stored.
func (k keylessSignature) stored(signed []byte) []byte {
	if k.tampered {
		signed = slices.Clone(signed)
		signed[len(signed)-1] ^= 1
	}
	return signed
}

// simple returns the layer of the signature in cosign's old format.
func (k keylessSignature) simple(t testing.TB, m *memory) ocispec.Descriptor {
	t.Helper()
	payload := simple(k.subject.Digest.String())
	signed, certificate := k.sign(t, payload)
	p := proof{certificate: certificate}
	if !k.unlogged {
		p.set = k.instance.Promise(t, sigstore.HashedRekord(t, payload, signed, sigstore.CertificatePEM(certificate)), k.at)
	}
	if k.stamped {
		p.timestamp = k.instance.Stamp(t, signed)
	}
	return simpleLayer(m, payload, k.stored(signed), p)
}

// bundle returns the layer of the signature as a bundle with a statement.
func (k keylessSignature) bundle(t testing.TB, m *memory) ocispec.Descriptor {
	t.Helper()
	payload := statement(k.subject.Digest.Encoded(), predicateSignature)
	signed, certificate := k.sign(t, sigstore.PAE(payload))
	p := proof{certificate: certificate}
	if !k.unlogged {
		p.entry = k.instance.Entry(t, sigstore.LoggedStatement(t, payload, signed, sigstore.CertificatePEM(certificate)), k.at)
	}
	if k.stamped {
		p.timestamp = k.instance.Stamp(t, signed)
	}
	return bundleLayer(t, m, dsse(payload, k.stored(signed)), p)
}

// bundleV2 returns the layer of the signature as a bundle with an entry of Rekor v2.
func (k keylessSignature) bundleV2(t testing.TB, m *memory) ocispec.Descriptor {
	t.Helper()
	payload := statement(k.subject.Digest.Encoded(), predicateSignature)
	signed, certificate := k.sign(t, sigstore.PAE(payload))
	p := proof{certificate: certificate, entry: k.instance.EntryV2(t, payload, signed, certificate)}
	if k.stamped {
		p.timestamp = k.instance.Stamp(t, signed)
	}
	return bundleLayer(t, m, dsse(payload, signed), p)
}

// message returns the layer of the signature as a bundle that signs the artifact's manifest.
func (k keylessSignature) message(t testing.TB, m *memory) ocispec.Descriptor {
	t.Helper()
	manifest := m.contents[k.subject.Digest]
	signed, certificate := k.sign(t, manifest)
	return bundleLayer(t, m, messageSignature(manifest, signed),
		proof{certificate: certificate, entry: k.instance.Entry(t, sigstore.HashedRekord(t, manifest, signed, sigstore.CertificatePEM(certificate)), k.at)})
}

func TestVerify_keyless(t *testing.T) {
	t.Parallel()
	i := sigstore.New(t)
	policies := map[string]Policy{
		"subject":            keyless(t, i, issuer, identity, ""),
		"regular expression": keyless(t, i, issuer, "", `https://git\.example/acme/plugin/.*@refs/tags/v\d+`),
	}
	formats := map[string]func(testing.TB, *memory, keylessSignature){
		"tag": func(t testing.TB, m *memory, k keylessSignature) { m.attach(t, k.subject, k.simple(t, m)) },
		"referrer": func(t testing.TB, m *memory, k keylessSignature) {
			m.refer(t, k.subject, typeCosignSignature, "", k.simple(t, m))
		},
		"tag with a timestamp": func(t testing.TB, m *memory, k keylessSignature) {
			k.stamped = true
			m.attach(t, k.subject, k.simple(t, m))
		},
		"bundle with a statement": func(t testing.TB, m *memory, k keylessSignature) {
			m.refer(t, k.subject, typeBundle, predicateSignature, k.bundle(t, m))
		},
		"bundle with a timestamp": func(t testing.TB, m *memory, k keylessSignature) {
			k.stamped = true
			m.refer(t, k.subject, typeBundle, predicateSignature, k.bundle(t, m))
		},
		"bundle of Rekor v2": func(t testing.TB, m *memory, k keylessSignature) {
			k.stamped = true
			m.refer(t, k.subject, typeBundle, predicateSignature, k.bundleV2(t, m))
		},
		"bundle with a message": func(t testing.TB, m *memory, k keylessSignature) {
			m.refer(t, k.subject, typeBundle, "", k.message(t, m))
		},
	}
	for format, store := range formats {
		for name, policy := range policies {
			t.Run(format+" "+name, func(t *testing.T) {
				t.Parallel()
				m := newMemory()
				subject := m.artifact(t, "a")
				store(t, m, newKeyless(t, i, subject))
				signer, err := Verify(t.Context(), []Repository{m}, subject, reference, policy)
				if want := (Signer{Digest: subject.Digest, Issuer: issuer, Subject: identity}); err != nil || signer != want {
					t.Errorf("got %+v, %v, want %+v", signer, err, want)
				}
			})
		}
	}
}
