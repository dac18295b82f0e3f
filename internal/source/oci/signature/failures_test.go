// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"

	"github.com/k1s-io/k1s/internal/testenv/sigstore"
)

// check verifies the signatures of a subject, and that no one of them counts, for a reason and with a part of a message.
func check(t *testing.T, m *memory, subject ocispec.Descriptor, p Policy, reason, part string) {
	t.Helper()
	signer, err := Verify(t.Context(), []Repository{m}, subject, reference, p)
	var load *plugin.LoadError
	if !errors.As(err, &load) || load.Reason != reason || !strings.Contains(err.Error(), part) || signer != (Signer{}) {
		t.Errorf("got %+v, %v, want reason %s and %q", signer, err, reason, part)
	}
}

func TestVerify_key_fails(t *testing.T) {
	t.Parallel()
	signer, other := generate(t, "P-256"), generate(t, "P-256")
	hint := signer.key(t, "").hint
	policy := Policy{Keys: []Key{signer.key(t, "the key"), generate(t, "RSA 2048").key(t, "another")}}
	changed := func(signed []byte) []byte { signed[len(signed)-1] ^= 1; return signed }
	elsewhere := digest.FromString("elsewhere")
	type store = func(t testing.TB, m *memory, subject ocispec.Descriptor)
	attach := func(payload func(ocispec.Descriptor) []byte, s signing, edit func(layer *ocispec.Descriptor)) store {
		return func(t testing.TB, m *memory, subject ocispec.Descriptor) {
			message := payload(subject)
			layer := simpleLayer(m, message, s.Sign(t, message), proof{})
			if edit != nil {
				edit(&layer)
			}
			m.attach(t, subject, layer)
		}
	}
	right := func(subject ocispec.Descriptor) []byte { return simple(subject.Digest.String()) }
	// refer stores a bundle with a statement.
	refer := func(payload func(ocispec.Descriptor) []byte, s signing, edit func(signed []byte) []byte, p proof) store {
		return func(t testing.TB, m *memory, subject ocispec.Descriptor) {
			message := payload(subject)
			signed := s.Sign(t, sigstore.PAE(message))
			if edit != nil {
				signed = edit(signed)
			}
			m.refer(t, subject, typeBundle, "", bundleLayer(t, m, dsse(message, signed), p))
		}
	}
	states := func(predicate string) func(subject ocispec.Descriptor) []byte {
		return func(subject ocispec.Descriptor) []byte { return statement(subject.Digest.Encoded(), predicate) }
	}
	raw := func(content string) store {
		return func(t testing.TB, m *memory, subject ocispec.Descriptor) {
			m.refer(t, subject, typeBundle, "", m.push(typeBundle, []byte(content)))
		}
	}
	for _, c := range []struct {
		name         string
		store        store
		reason, part string
	}{
		{"nothing is stored", func(testing.TB, *memory, ocispec.Descriptor) {}, pluginsv1alpha1.ReasonNotSigned, "has no signature: sign it with `cosign sign --key cosign.key registry.example/acme/plugin@sha256:"},
		{"another tag", func(t testing.TB, m *memory, subject ocispec.Descriptor) { m.tags["v1"] = subject }, pluginsv1alpha1.ReasonNotSigned, ""},
		{"a referrer of another kind", func(t testing.TB, m *memory, subject ocispec.Descriptor) {
			m.refer(t, subject, "application/spdx+json", "", m.push("application/spdx+json", []byte("{}")))
		}, pluginsv1alpha1.ReasonNotSigned, ""},
		{"an attestation", refer(states("https://slsa.dev/provenance/v1"), signer, nil, proof{}), pluginsv1alpha1.ReasonNotSigned, ""},

		{"another key", attach(right, other, nil), pluginsv1alpha1.ReasonSignedByAnotherKey, "does not match the key and 1 more: sign with that key"},
		{"another key, bundle", refer(states(predicateSignature), other, nil, proof{hint: other.key(t, "").hint}), pluginsv1alpha1.ReasonSignedByAnotherKey, "does not match the key"},
		{"another message, bundle", func(t testing.TB, m *memory, subject ocispec.Descriptor) {
			m.refer(t, subject, typeBundle, "", bundleLayer(t, m, messageSignature([]byte("a"), signer.Sign(t, []byte("a"))), proof{}))
		}, pluginsv1alpha1.ReasonSignedByAnotherKey, ""},

		{"a changed signature, bundle", refer(states(predicateSignature), signer, changed, proof{hint: hint}), pluginsv1alpha1.ReasonSignatureInvalid, "is by a key of the spec, but does not match what it signs"},
		{"a changed payload with a log entry", func(t testing.TB, m *memory, subject ocispec.Descriptor) {
			message := simple(subject.Digest.String())
			signed := signer.Sign(t, message)
			p := proof{set: sigstore.New(t).Promise(t, sigstore.HashedRekord(t, message, signed, signer.PEM(t)), time.Now())}
			m.attach(t, subject, simpleLayer(m, append(message, ' '), signed, p))
		}, pluginsv1alpha1.ReasonSignatureInvalid, "is by a key of the spec, but does not match what it signs"},
		{"another message by the key, bundle", func(t testing.TB, m *memory, subject ocispec.Descriptor) {
			m.refer(t, subject, typeBundle, "", bundleLayer(t, m, messageSignature([]byte("a"), signer.Sign(t, []byte("a"))), proof{hint: hint}))
		}, pluginsv1alpha1.ReasonSignatureInvalid, ""},

		{"another digest", attach(func(ocispec.Descriptor) []byte { return simple(elsewhere.String()) }, signer, nil), pluginsv1alpha1.ReasonSignatureOfAnotherDigest, `was made for the digest "` + elsewhere.String() + `", not for sha256:`},
		{"another digest, bundle", refer(func(ocispec.Descriptor) []byte { return statement(elsewhere.Encoded(), predicateSignature) }, signer, nil, proof{}), pluginsv1alpha1.ReasonSignatureOfAnotherDigest, elsewhere.String()},
		{"no subject, bundle", refer(func(ocispec.Descriptor) []byte {
			return []byte(`{"_type":"https://in-toto.io/Statement/v1","predicateType":"` + predicateSignature + `"}`)
		}, signer, nil, proof{}), pluginsv1alpha1.ReasonSignatureOfAnotherDigest, ""},

		{"no JSON", attach(func(ocispec.Descriptor) []byte { return []byte("signature") }, signer, nil), pluginsv1alpha1.ReasonSignatureMalformed, "payload"},
		{"another type of payload", attach(func(subject ocispec.Descriptor) []byte {
			return []byte(strings.Replace(string(right(subject)), "cosign container image signature", "atomic container signature", 1))
		}, signer, nil), pluginsv1alpha1.ReasonSignatureMalformed, `its payload has the type "atomic container signature"`},
		{"no signature in the annotation", attach(right, signer, func(layer *ocispec.Descriptor) { layer.Annotations = nil }), pluginsv1alpha1.ReasonSignatureMalformed, `it has no annotation "dev.cosignproject.cosign/signature"`},
		{"a signature that is not base64", attach(right, signer, func(layer *ocispec.Descriptor) { layer.Annotations[annotationSignature] = "%" }), pluginsv1alpha1.ReasonSignatureMalformed, "base64"},
		{"a large annotation", attach(right, signer, func(layer *ocispec.Descriptor) {
			layer.Annotations["a"] = strings.Repeat("a", maxAnnotationBytes+1)
		}), pluginsv1alpha1.ReasonSignatureMalformed, "more than 65536"},
		{"a certificate that is not PEM", attach(right, signer, func(layer *ocispec.Descriptor) { layer.Annotations[annotationCertificate] = "MII" }), pluginsv1alpha1.ReasonSignatureMalformed, "is not a certificate in PEM"},
		{"a large payload", attach(func(subject ocispec.Descriptor) []byte {
			return append(right(subject), strings.Repeat(" ", maxPayloadBytes)...)
		}, signer, nil), pluginsv1alpha1.ReasonSignatureMalformed, "bytes, more than 65536"},
		{"a negative size", attach(right, signer, func(layer *ocispec.Descriptor) { layer.Size = -1 }), pluginsv1alpha1.ReasonSignatureMalformed, "no valid digest and size"},
		{"no digest", attach(right, signer, func(layer *ocispec.Descriptor) { layer.Digest = "sha256:a" }), pluginsv1alpha1.ReasonSignatureMalformed, "no valid digest and size"},
		{"no content", attach(right, signer, func(layer *ocispec.Descriptor) { layer.Digest = elsewhere }), pluginsv1alpha1.ReasonSignatureMalformed, "not found in the repository"},
		{"a manifest that is not JSON", func(t testing.TB, m *memory, subject ocispec.Descriptor) {
			m.tags["sha256-"+subject.Digest.Encoded()+".sig"] = m.push(ocispec.MediaTypeImageManifest, []byte("<html>"))
		}, pluginsv1alpha1.ReasonSignatureMalformed, "with signatures of"},
		{"a bundle that is not JSON", raw("bundle"), pluginsv1alpha1.ReasonSignatureMalformed, ""},
		{"an empty bundle", raw("{}"), pluginsv1alpha1.ReasonSignatureMalformed, ""},
		{"a bundle without a signature", raw(`{"mediaType":"` + typeBundle + `","verificationMaterial":{"publicKey":{}},"dsseEnvelope":{}}`), pluginsv1alpha1.ReasonSignatureMalformed, ""},
		{"an old bundle", raw(`{"mediaType":"` + typeBundleV01 + `","verificationMaterial":{"publicKey":{}},"dsseEnvelope":{}}`), pluginsv1alpha1.ReasonSignatureMalformed, "it is older than v0.3"},
		{"a large bundle", raw(strings.Repeat(" ", maxBundleBytes+1)), pluginsv1alpha1.ReasonSignatureMalformed, "more than 262144"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newMemory()
			subject := m.artifact(t, "a")
			c.store(t, m, subject)
			check(t, m, subject, policy, c.reason, c.part)
		})
	}
}

func TestVerify_keyless_fails(t *testing.T) {
	t.Parallel()
	i, stranger := sigstore.New(t), sigstore.New(t)
	right := keyless(t, i, issuer, identity, "")
	keys := Policy{Keys: []Key{generate(t, "P-256").key(t, "the key")}}
	for _, c := range []struct {
		name         string
		edit         func(k *keylessSignature)
		policy       Policy
		reason, part string
	}{
		{"another subject", nil, keyless(t, i, issuer, "https://git.example/b", ""), pluginsv1alpha1.ReasonSignedByAnotherIdentity, `was made by subject "` + identity + `" of issuer "` + issuer + `", not by subject "https://git.example/b" of issuer "` + issuer + `"`},
		{"another issuer", nil, keyless(t, i, "https://login.example", identity, ""), pluginsv1alpha1.ReasonSignedByAnotherIdentity, `not by subject "` + identity + `" of issuer "https://login.example"`},
		{"an expression for a part", nil, keyless(t, i, issuer, "", `https://git\.example/acme`), pluginsv1alpha1.ReasonSignedByAnotherIdentity, `not by subject that matches "https://git\\.example/acme"`},
		{"an expression for the end", nil, keyless(t, i, issuer, "", `https://x|refs/tags/v1`), pluginsv1alpha1.ReasonSignedByAnotherIdentity, "that matches"},
		{"keys wanted", nil, keys, pluginsv1alpha1.ReasonSignedByAnotherKey, `was made by subject "` + identity + `" of issuer "` + issuer + `", but the spec accepts only keys`},
		{"expired", func(k *keylessSignature) { k.at = k.from.Add(11 * time.Minute) }, right, pluginsv1alpha1.ReasonCertificateExpired, "but its certificate is valid from"},
		{"not valid yet", func(k *keylessSignature) { k.at = k.from.Add(-2 * time.Minute) }, right, pluginsv1alpha1.ReasonCertificateExpired, "but its certificate is valid from"},
		{"not valid at the timestamp", func(k *keylessSignature) {
			k.from, k.at, k.stamped = k.from.Add(-11*time.Minute), k.from.Add(-90*time.Second), true
		}, right, pluginsv1alpha1.ReasonCertificateExpired, "but its certificate is valid from"},
		{"not logged", func(k *keylessSignature) { k.unlogged = true }, right, pluginsv1alpha1.ReasonNotInTransparencyLog, "has no entry of a transparency log"},
		{"not logged, with a timestamp", func(k *keylessSignature) { k.unlogged, k.stamped = true, true }, right, pluginsv1alpha1.ReasonNotInTransparencyLog, "has no entry of a transparency log"},
		{"another log", func(k *keylessSignature) {
			other := *k.instance
			other.Log = sigstore.NewKey(t, "P-256")
			k.instance = &other
		}, right, pluginsv1alpha1.ReasonNotInTransparencyLog, "is not proved by a log in tlogs of the trusted root"},
		{"another certificate transparency log", func(k *keylessSignature) {
			other := sigstore.NewKey(t, "P-256")
			k.ctLog = &other
		}, right, pluginsv1alpha1.ReasonCertificateUntrusted, "no log in ctlogs of the trusted root"},
		{"no certificate transparency log", func(k *keylessSignature) { k.ctLog = nil }, right, pluginsv1alpha1.ReasonCertificateUntrusted, "no log in ctlogs of the trusted root"},
		{"another CA", func(k *keylessSignature) {
			other := *k.instance
			other.Intermediate, other.Key = stranger.Intermediate, stranger.Key
			k.instance = &other
		}, right, pluginsv1alpha1.ReasonCertificateUntrusted, `has a certificate of "CN=sigstore-intermediate,O=sigstore.dev", which is not below a CA in certificateAuthorities`},
		{"a changed signature", func(k *keylessSignature) { k.tampered = true }, right, pluginsv1alpha1.ReasonSignatureInvalid, "does not match what it signs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, format := range []string{"tag", "bundle"} {
				m := newMemory()
				subject := m.artifact(t, "a")
				k := newKeyless(t, i, subject)
				if c.edit != nil {
					c.edit(&k)
				}
				if format == "tag" {
					m.attach(t, subject, k.simple(t, m))
				} else {
					m.refer(t, subject, typeBundle, predicateSignature, k.bundle(t, m))
				}
				check(t, m, subject, c.policy, c.reason, c.part)
			}
		})
	}
}

// TestVerify_keyless_swapped checks that the parts of a signature belong together: each is valid for another signature.
func TestVerify_keyless_swapped(t *testing.T) {
	t.Parallel()
	i := sigstore.New(t)
	policy := keyless(t, i, issuer, identity, "")
	for _, c := range []struct {
		name, annotation, reason string
	}{
		{"certificate", annotationCertificate, pluginsv1alpha1.ReasonSignatureInvalid},
		{"signature", annotationSignature, pluginsv1alpha1.ReasonSignatureInvalid},
		{"log entry", annotationLogEntry, pluginsv1alpha1.ReasonNotInTransparencyLog},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newMemory()
			subject, other := m.artifact(t, "a"), m.artifact(t, "b")
			layer := newKeyless(t, i, subject).simple(t, m)
			layer.Annotations[c.annotation] = newKeyless(t, i, other).simple(t, m).Annotations[c.annotation]
			m.attach(t, subject, layer)
			check(t, m, subject, policy, c.reason, "")
		})
	}
}

// TestVerify_keyless_timestamps checks that a timestamp counts only if the authority made it for this signature.
func TestVerify_keyless_timestamps(t *testing.T) {
	t.Parallel()
	i := sigstore.New(t)
	policy := keyless(t, i, issuer, identity, "")
	m := newMemory()
	subject := m.artifact(t, "a")
	k := newKeyless(t, i, subject)
	m.refer(t, subject, typeBundle, "", k.bundleV2(t, m))
	check(t, m, subject, policy, pluginsv1alpha1.ReasonCertificateExpired, "has no time that the trusted root proves")

	payload := statement(subject.Digest.Encoded(), predicateSignature)
	signed, certificate := k.sign(t, sigstore.PAE(payload))
	m = newMemory()
	m.refer(t, subject, typeBundle, "", bundleLayer(t, m, dsse(payload, signed), proof{
		certificate: certificate, entry: i.EntryV2(t, payload, signed, certificate), timestamp: i.Stamp(t, []byte("another")),
	}))
	check(t, m, subject, policy, pluginsv1alpha1.ReasonCertificateExpired, "has no time that the trusted root proves")
}

func TestVerify_identityWanted(t *testing.T) {
	t.Parallel()
	m := newMemory()
	subject := m.artifact(t, "a")
	formats()["tag"](t, m, subject, generate(t, "P-256"))
	check(t, m, subject, keyless(t, sigstore.New(t), issuer, identity, ""), pluginsv1alpha1.ReasonSignedByAnotherKey, `was made with a key, but the spec accepts only subject "`+identity+`" of issuer`)
}
