// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"errors"
	"strings"
	"testing"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// TestVerify_places checks the answers of a mirror and of the registry together.
func TestVerify_places(t *testing.T) {
	t.Parallel()
	signer, other := generate(t, "P-256"), generate(t, "P-256")
	policy := Policy{Keys: []Key{signer.key(t, "the key")}}
	down := errors.New("503")
	fails := func(m *memory) {
		subject := m.artifact(t, "a")
		m.failures["referrers"], m.failures["sha256-"+subject.Digest.Encoded()+".sig"] = down, down
	}
	signed := func(format string, by signing) func(*memory) {
		return func(m *memory) { formats()[format](t, m, m.artifact(t, "a"), by) }
	}
	nothing := func(*memory) {}
	for _, c := range []struct {
		name             string
		mirror, registry func(*memory)
		// reason is empty if the failure counts, and want if the signature counts.
		reason, part string
		valid        bool
	}{
		{"none in the mirror", nothing, signed("bundle with a statement", signer), "", "", true},
		{"another in the mirror", signed("tag", other), signed("tag", signer), "", "", true},
		{"the registry is not asked", signed("tag", signer), fails, "", "", true},
		{"the mirror fails", fails, signed("referrer", signer), "", "", true},
		{"none", nothing, nothing, pluginsv1alpha1.ReasonNotSigned, "", false},
		{"none in the registry", fails, nothing, pluginsv1alpha1.ReasonNotSigned, "", false},
		{"another in the registry", fails, signed("tag", other), pluginsv1alpha1.ReasonSignedByAnotherKey, "", false},
		{"none, the registry fails", nothing, fails, "", `has no signature in what could be read; read the signatures of "` + reference, false},
		{"another, the registry fails", signed("tag", other), fails, "", "does not match the key", false},
		{"both fail", fails, fails, "", `read the signatures of "` + reference, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			mirror, registry := newMemory(), newMemory()
			subject := mirror.artifact(t, "a")
			registry.artifact(t, "a")
			c.mirror(mirror)
			c.registry(registry)
			signed, err := Verify(t.Context(), []Repository{mirror, registry}, subject, reference, policy)
			var load *plugin.LoadError
			switch {
			case c.valid:
				if err != nil || signed.Key != "the key" {
					t.Errorf("got %+v, %v", signed, err)
				}
			case c.reason != "":
				if !errors.As(err, &load) || load.Reason != c.reason {
					t.Errorf("got %v, want the reason %s", err, c.reason)
				}
			case !errors.Is(err, down) || errors.As(err, &load) || !strings.Contains(err.Error(), c.part):
				t.Errorf("got %v, want the failure with %q", err, c.part)
			}
		})
	}
}

// TestVerify_places_limits checks that mirrors do not add to what is read, and that what they have too is read once.
func TestVerify_places_limits(t *testing.T) {
	t.Parallel()
	signer, other := generate(t, "P-256"), generate(t, "P-256")
	policy := Policy{Keys: []Key{signer.key(t, "the key")}}
	mirror, registry := newMemory(), newMemory()
	subject := mirror.artifact(t, "a")
	for range maxManifests {
		formats()["bundle with a statement"](t, mirror, subject, other)
	}
	registry.contents, registry.referring = mirror.contents, mirror.referring
	if _, err := Verify(t.Context(), []Repository{mirror, registry}, subject, reference, policy); len(registry.reads) != 0 {
		t.Errorf("got %v after the registry's copies of the mirror's signatures were read", err)
	}
	formats()["bundle with a statement"](t, registry, subject, signer)
	_, err := Verify(t.Context(), []Repository{mirror, registry}, subject, reference, policy)
	var load *plugin.LoadError
	if !errors.As(err, &load) || load.Reason != pluginsv1alpha1.ReasonTooManySignatures || len(registry.reads) != 0 {
		t.Errorf("got %v after %d reads", err, len(registry.reads))
	}
}
