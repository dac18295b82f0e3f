// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"

	"github.com/k1s-io/k1s/internal/testenv/sigstore"
)

// TestVerify_registryFails checks that a failure of the registry is not reported as a missing or wrong signature, and
// that a signature that can be read counts all the same. The failure is a LoadError, as those of the source are.
func TestVerify_registryFails(t *testing.T) {
	t.Parallel()
	failure := plugin.Reject(pluginsv1alpha1.ReasonSourceUnavailable, "503")
	signer := generate(t, "P-256")
	policy := Policy{Keys: []Key{signer.key(t, "the key")}}
	tag := func(subject ocispec.Descriptor) string { return "sha256-" + subject.Digest.Encoded() + ".sig" }
	for _, c := range []struct {
		name, format string
		fail         func(m *memory, subject ocispec.Descriptor) string
		valid        bool
	}{
		{"referrers", "", func(*memory, ocispec.Descriptor) string { return "referrers" }, false},
		{"referrers, another place", "tag", func(*memory, ocispec.Descriptor) string { return "referrers" }, true},
		{"tag", "", func(_ *memory, subject ocispec.Descriptor) string { return tag(subject) }, false},
		{"tag, another place", "bundle with a statement", func(_ *memory, subject ocispec.Descriptor) string { return tag(subject) }, true},
		{"manifest of the tag", "tag", func(m *memory, subject ocispec.Descriptor) string { return m.tags[tag(subject)].Digest.String() }, false},
		{"payload", "tag", func(_ *memory, subject ocispec.Descriptor) string {
			return digest.FromBytes(simple(subject.Digest.String())).String()
		}, false},
		{"manifest of a referrer", "bundle with a statement", func(m *memory, _ ocispec.Descriptor) string { return m.referring[0].Digest.String() }, false},
		{"manifest of the artifact", "bundle with a message", func(_ *memory, subject ocispec.Descriptor) string { return subject.Digest.String() }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newMemory()
			subject := m.artifact(t, "a")
			if c.format != "" {
				formats()[c.format](t, m, subject, signer)
			}
			m.failures[c.fail(m, subject)] = failure
			signed, err := Verify(t.Context(), []Repository{m}, subject, reference, policy)
			if c.valid {
				if err != nil || signed.Key != "the key" {
					t.Errorf("got %+v, %v", signed, err)
				}
				return
			}
			if !errors.Is(err, failure) || !strings.Contains(err.Error(), `read the signatures of "registry.example/acme/plugin:v1"`) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestVerify_registryFails_oneOfMany checks that the registry's failure decides if the other signatures do not count:
// the one that could not be read may.
func TestVerify_registryFails_oneOfMany(t *testing.T) {
	t.Parallel()
	failure := errors.New("503")
	signer, other := generate(t, "P-256"), generate(t, "P-256")
	m := newMemory()
	subject := m.artifact(t, "a")
	formats()["bundle with a statement"](t, m, subject, signer)
	m.failures[m.referring[0].Digest.String()] = failure
	formats()["bundle with a message"](t, m, subject, other)
	if _, err := Verify(t.Context(), []Repository{m}, subject, reference, Policy{Keys: []Key{signer.key(t, "the key")}}); !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	formats()["referrer"](t, m, subject, signer)
	if _, err := Verify(t.Context(), []Repository{m}, subject, reference, Policy{Keys: []Key{signer.key(t, "the key")}}); err != nil {
		t.Errorf("got %v", err)
	}
}

// TestVerify_otherContent checks that a registry cannot replace the manifest that a signature is of.
func TestVerify_otherContent(t *testing.T) {
	t.Parallel()
	signer := generate(t, "P-256")
	m := newMemory()
	subject, another := m.artifact(t, "a"), m.artifact(t, "b")
	manifest := m.contents[another.Digest]
	m.refer(t, subject, typeBundle, "", bundleLayer(t, m, messageSignature(manifest, signer.Sign(t, manifest)), proof{}))
	m.contents[subject.Digest] = manifest
	_, err := Verify(t.Context(), []Repository{m}, subject, reference, Policy{Keys: []Key{signer.key(t, "the key")}})
	if err == nil || !strings.Contains(err.Error(), "the registry sent "+another.Digest.String()) {
		t.Errorf("got %v", err)
	}
}

func TestVerify_canceled(t *testing.T) {
	t.Parallel()
	m, signer := newMemory(), generate(t, "P-256")
	subject := m.artifact(t, "a")
	for _, format := range []string{"referrer", "bundle with a message", "bundle with a statement"} {
		formats()[format](t, m, subject, generate(t, "P-256"))
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := errors.New("the operator stops")
	m.after = func() { cancel(ended) }
	_, err := Verify(ctx, []Repository{m}, subject, reference, Policy{Keys: []Key{signer.key(t, "the key")}})
	// The second read is that of the layer in the first manifest: the repository looks at the context.
	if !errors.Is(err, ended) || len(m.reads) != 2 {
		t.Errorf("got %v after %d reads, want 2", err, len(m.reads))
	}
}

func TestVerify_digest(t *testing.T) {
	t.Parallel()
	policy := Policy{Keys: []Key{generate(t, "P-256").key(t, "the key")}}
	for _, bad := range []digest.Digest{"", "sha256:", "sha256:a", "md5:d41d8cd98f00b204e9800998ecf8427e"} {
		if _, err := Verify(t.Context(), []Repository{newMemory()}, ocispec.Descriptor{Digest: bad}, reference, policy); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

// TestVerify_furthest checks that the message is about the signature that passed the most checks.
func TestVerify_furthest(t *testing.T) {
	t.Parallel()
	i := sigstore.New(t)
	m := newMemory()
	subject, elsewhere := m.artifact(t, "a"), m.artifact(t, "b")
	copied := simple(elsewhere.Digest.String())
	s := generate(t, "P-256")
	malformedLayer := m.push(typeBundle, []byte("{}"))
	copiedLayer := simpleLayer(m, copied, s.Sign(t, copied), proof{})
	expiredSignature := newKeyless(t, i, subject)
	expiredSignature.at = expiredSignature.from.Add(-20 * 60 * 1e9)
	policy := keyless(t, i, issuer, "https://git.example/b", "")
	steps := []struct {
		layer  ocispec.Descriptor
		reason string
	}{
		{malformedLayer, pluginsv1alpha1.ReasonSignatureMalformed},
		{copiedLayer, pluginsv1alpha1.ReasonSignatureOfAnotherDigest},
		{expiredSignature.simple(t, m), pluginsv1alpha1.ReasonCertificateExpired},
		{newKeyless(t, i, subject).bundle(t, m), pluginsv1alpha1.ReasonSignedByAnotherIdentity},
	}
	var layers []ocispec.Descriptor
	for _, step := range steps {
		layers = append([]ocispec.Descriptor{step.layer}, layers...)
		m.attach(t, subject, layers...)
		check(t, m, subject, policy, step.reason, "")
	}
}
