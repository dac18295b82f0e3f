// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"

	"github.com/k1s-io/k1s/internal/testenv/sigstore"
)

// tenThousand is more than any limit on a number.
const tenThousand = 10_000

// TestVerify_tooMany checks that a valid signature counts only among the first ones, and that the others are not read.
func TestVerify_tooMany(t *testing.T) {
	t.Parallel()
	signer, other := generate(t, "P-256"), generate(t, "P-256")
	policy := Policy{Keys: []Key{signer.key(t, "the key")}}
	layerBy := func(t testing.TB, m *memory, subject ocispec.Descriptor, s signing) ocispec.Descriptor {
		payload := simple(subject.Digest.String())
		return simpleLayer(m, payload, s.Sign(t, payload), proof{})
	}
	bundleBy := func(t testing.TB, m *memory, subject ocispec.Descriptor, s signing) ocispec.Descriptor {
		payload := statement(subject.Digest.Encoded(), predicateSignature)
		return bundleLayer(t, m, dsse(payload, s.Sign(t, sigstore.PAE(payload))), proof{})
	}
	attach := func(t testing.TB, m *memory, subject ocispec.Descriptor, at int) {
		layers := slices.Repeat([]ocispec.Descriptor{layerBy(t, m, subject, other)}, tenThousand)
		layers[at] = layerBy(t, m, subject, signer)
		m.attach(t, subject, layers...)
	}
	refer := func(t testing.TB, m *memory, subject ocispec.Descriptor, at int) {
		for range maxManifests + 1 { // each is read once, however often it is listed
			m.refer(t, subject, typeBundle, predicateSignature, bundleBy(t, m, subject, other))
		}
		m.referring = slices.Repeat(m.referring, tenThousand/len(m.referring)+1)[:tenThousand-1]
		m.refer(t, subject, typeBundle, predicateSignature, bundleBy(t, m, subject, signer))
		last := tenThousand - 1
		m.referring[at], m.referring[last] = m.referring[last], m.referring[at]
	}
	for _, c := range []struct {
		name  string
		store func(testing.TB, *memory, ocispec.Descriptor, int)
		at    int
		valid bool
	}{
		{"layers, first", attach, 0, true},
		{"layers, last that is read", attach, maxSignatures - 1, true},
		{"layers, first that is not read", attach, maxSignatures, false},
		{"layers, last", attach, tenThousand - 1, false},
		{"referrers, first", refer, 0, true},
		{"referrers, last that is read", refer, maxManifests - 1, true},
		{"referrers, first that is not read", refer, maxManifests, false},
		{"referrers, last", refer, tenThousand - 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newMemory()
			subject := m.artifact(t, "a")
			c.store(t, m, subject, c.at)
			if c.valid {
				signed, err := Verify(t.Context(), []Repository{m}, subject, reference, policy)
				if err != nil || signed.Key != "the key" {
					t.Errorf("got %+v, %v", signed, err)
				}
			} else {
				check(t, m, subject, policy, pluginsv1alpha1.ReasonTooManySignatures, "does not match the key")
			}
			if most := maxSignatures + maxManifests; len(m.reads) > most {
				t.Errorf("%d contents were read, more than %d", len(m.reads), most)
			}
		})
	}
}

// TestVerify_tooMany_elsewhere checks that signatures in one place do not hide those in the other.
func TestVerify_tooMany_elsewhere(t *testing.T) {
	t.Parallel()
	signer, other := generate(t, "P-256"), generate(t, "P-256")
	m := newMemory()
	subject := m.artifact(t, "a")
	formats()["bundle with a statement"](t, m, subject, other)
	m.referring = slices.Repeat(m.referring, tenThousand)
	formats()["tag"](t, m, subject, signer)
	signed, err := Verify(t.Context(), []Repository{m}, subject, reference, Policy{Keys: []Key{signer.key(t, "the key")}})
	if err != nil || signed.Key != "the key" {
		t.Errorf("got %+v, %v", signed, err)
	}
}

// TestVerify_attestations checks that attestations, which releases have many of, leave the room to signatures.
func TestVerify_attestations(t *testing.T) {
	t.Parallel()
	signer := generate(t, "P-256")
	m := newMemory()
	subject := m.artifact(t, "a")
	payload := statement(subject.Digest.Encoded(), "https://slsa.dev/provenance/v1")
	m.refer(t, subject, typeBundle, "https://slsa.dev/provenance/v1", bundleLayer(t, m, dsse(payload, signer.Sign(t, sigstore.PAE(payload))), proof{}))
	m.refer(t, subject, "application/spdx+json", "", m.push("application/spdx+json", []byte("{}")))
	m.referring = slices.Repeat(m.referring, maxManifests)
	formats()["bundle with a statement"](t, m, subject, signer)
	signed, err := Verify(t.Context(), []Repository{m}, subject, reference, Policy{Keys: []Key{signer.key(t, "the key")}})
	if err != nil || signed.Key != "the key" || len(m.reads) != 2 {
		t.Errorf("got %+v, %v after %d reads, want 2", signed, err, len(m.reads))
	}
}

// TestVerify_unknownReferrers checks that referrers without a type, which may be signatures, do not hide those that are.
func TestVerify_unknownReferrers(t *testing.T) {
	t.Parallel()
	signer := generate(t, "P-256")
	m := newMemory()
	subject := m.artifact(t, "a")
	m.refer(t, subject, "", "", m.push("application/spdx+json", []byte("{}")))
	m.referring = slices.Repeat(m.referring, maxManifests)
	policy := Policy{Keys: []Key{signer.key(t, "the key")}}
	check(t, m, subject, policy, pluginsv1alpha1.ReasonNotSigned, "")
	formats()["bundle with a statement"](t, m, subject, signer)
	signed, err := Verify(t.Context(), []Repository{m}, subject, reference, policy)
	if err != nil || signed.Key != "the key" {
		t.Errorf("got %+v, %v", signed, err)
	}
}

// TestVerify_bytes checks that sizes are compared with the limits before anything is read.
func TestVerify_bytes(t *testing.T) {
	t.Parallel()
	signer := generate(t, "P-256")
	policy := Policy{Keys: []Key{signer.key(t, "the key")}}
	t.Run("a large manifest", func(t *testing.T) {
		t.Parallel()
		m := newMemory()
		subject := m.artifact(t, "a")
		layer := simpleLayer(m, simple(subject.Digest.String()), []byte("a"), proof{})
		layer.Annotations["padding"] = strings.Repeat("a", maxManifestBytes)
		m.attach(t, subject, layer)
		check(t, m, subject, policy, pluginsv1alpha1.ReasonTooManySignatures, "")
		if len(m.reads) > 0 {
			t.Errorf("%d bytes were read", m.reads)
		}
	})
	t.Run("many large manifests", func(t *testing.T) {
		t.Parallel()
		m := newMemory()
		subject := m.artifact(t, "a")
		for n := range maxManifests {
			layer := ocispec.Descriptor{MediaType: "text/plain", Annotations: map[string]string{"padding": strings.Repeat("a", maxManifestBytes/2), "n": fmt.Sprint(n)}}
			m.refer(t, subject, typeBundle, "", layer)
		}
		check(t, m, subject, policy, pluginsv1alpha1.ReasonTooManySignatures, "")
		var sum int64
		for _, read := range m.reads {
			sum += read
		}
		if sum == 0 || sum > maxPlaceBytes {
			t.Errorf("%d bytes were read, want at most %d", sum, maxPlaceBytes)
		}
	})
}

func TestNewChecker(t *testing.T) {
	t.Parallel()
	key := generate(t, "P-256").key(t, "the key")
	for name, p := range map[string]Policy{
		"nothing":                    {},
		"too many keys":              {Keys: slices.Repeat([]Key{key}, maxKeys+1)},
		"a key that was not parsed":  {Keys: []Key{{}}},
		"an identity without a root": {Keyless: &Keyless{}},
	} {
		m := newMemory()
		var load *plugin.LoadError // would be about the signatures
		if _, err := Verify(t.Context(), []Repository{m}, m.artifact(t, "a"), reference, p); err == nil || errors.As(err, &load) || !strings.Contains(err.Error(), reference) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := newChecker(Policy{Keys: slices.Repeat([]Key{key}, maxKeys)}); err != nil {
		t.Errorf("%d keys: %v", maxKeys, err)
	}
}
