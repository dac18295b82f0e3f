// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/k1s-io/k1s/internal/testenv/sigstore"
)

// FuzzVerify stores a manifest, and a layer that is a payload or a bundle, with the annotations that the manifest gives
// it. It checks that Verify neither panics nor accepts: the seeds are signatures of another artifact by the right
// signers, so that only a forged signature could be accepted.
func FuzzVerify(f *testing.F) {
	i, signer := sigstore.New(f), generate(f, "P-256")
	policy := keyless(f, i, issuer, identity, "")
	policy.Keys = []Key{signer.key(f, "the key")}
	seeds := newMemory()
	other := seeds.artifact(f, "b")
	k := newKeyless(f, i, other)
	k.stamped = true
	k.at = time.Now()
	for _, layer := range []ocispec.Descriptor{k.simple(f, seeds), k.bundle(f, seeds), k.bundleV2(f, seeds), k.message(f, seeds)} {
		f.Add(encode(f, ocispec.Manifest{Layers: []ocispec.Descriptor{layer}}), seeds.contents[layer.Digest], isBundle(layer.MediaType))
	}
	payload := statement(other.Digest.Encoded(), predicateSignature)
	layer := bundleLayer(f, seeds, dsse(payload, signer.Sign(f, sigstore.PAE(payload))), proof{hint: "k"})
	f.Add(encode(f, ocispec.Manifest{Layers: []ocispec.Descriptor{layer}}), seeds.contents[layer.Digest], true)
	f.Add([]byte(`{"layers":[null,{"digest":"sha256:"}]}`), []byte("null"), false)

	m := newMemory()
	subject := m.artifact(f, "a")
	manifest := m.contents[subject.Digest]
	f.Fuzz(func(t *testing.T, stored, content []byte, bundled bool) {
		m := newMemory()
		m.contents[subject.Digest] = manifest
		mediaType := typeSimpleSigning
		if bundled {
			mediaType = typeBundle
		}
		m.attach(t, subject, fuzzedLayers(m, stored, content, mediaType)...)
		d := m.push(ocispec.MediaTypeImageManifest, stored)
		m.push(mediaType, content)
		m.referring = []ocispec.Descriptor{d}
		if signed, err := Verify(t.Context(), []Repository{m}, subject, reference, policy); err == nil {
			t.Errorf("signed by %s", signed)
		}
	})
}

// fuzzedLayers returns the layers of a fuzzed manifest, each with the fuzzed content, so that it is read.
func fuzzedLayers(m *memory, stored, content []byte, mediaType string) []ocispec.Descriptor {
	var manifest ocispec.Manifest
	if json.Unmarshal(stored, &manifest) != nil {
		return nil
	}
	for i := range manifest.Layers {
		annotations := manifest.Layers[i].Annotations
		manifest.Layers[i] = m.push(mediaType, content)
		manifest.Layers[i].Annotations = annotations
	}
	return manifest.Layers
}

// FuzzCandidate checks that what a signature says about the artifact decides before anything is verified, whatever it is
// that was signed.
func FuzzCandidate(f *testing.F) {
	subject := digest.FromString("a")
	f.Add(simple(subject.String()), `{"SignedEntryTimestamp":"YQ==","Payload":{"body":"e30=","integratedTime":1,"logIndex":1,"logID":"00"}}`, "YQ==", "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n")
	f.Fuzz(func(t *testing.T, payload []byte, entry, signed, certificate string) {
		c, why := simpleCandidate("it", map[string]string{
			annotationLogEntry: entry, annotationSignature: signed, annotationCertificate: certificate,
		}, payload, subject)
		if why == nil && (c.bundle == nil || c.subject != subject) {
			t.Errorf("got %+v", c)
		}
		c, isSignature, why := bundleCandidate("it", payload, subject)
		if isSignature && why == nil && (c.bundle == nil || c.subject != subject) {
			t.Errorf("got %+v", c)
		}
	})
}
