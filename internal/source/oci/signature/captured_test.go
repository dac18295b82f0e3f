// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"encoding/json"
	"os"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// captures is what releases of cosign stored in a registry, signed with a key, or with a test instance of Sigstore, whose
// log recorded all of them. The names of the cases leave out the flags with the instance's addresses.
type captures struct {
	Key         string          `json:"key"`
	TrustedRoot json.RawMessage `json:"trustedRoot"`
	Cases       []struct {
		Name      string                        `json:"name"`
		Keyless   bool                          `json:"keyless"`
		Subject   ocispec.Descriptor            `json:"subject"`
		Tags      map[string]ocispec.Descriptor `json:"tags"`
		Referrers []ocispec.Descriptor          `json:"referrers"`
		Contents  []string                      `json:"contents"`
	} `json:"cases"`
}

// TestVerify_captured verifies what cosign itself wrote, as opposed to what the other tests think that it writes.
func TestVerify_captured(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/cosign.json")
	if err != nil {
		t.Fatal(err)
	}
	var captured captures
	if err := json.Unmarshal(text, &captured); err != nil {
		t.Fatal(err)
	}
	key, err := ParseKey("cosign.pub", []byte(captured.Key))
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := ParseTrustedRoot("trusted_root.json", captured.TrustedRoot)
	if err != nil {
		t.Fatal(err)
	}
	policy := func(subject string, key Key) Policy {
		keyless, err := ParseKeyless(issuer, subject, "", trusted)
		if err != nil {
			t.Fatal(err)
		}
		return Policy{Keys: []Key{key}, Keyless: keyless}
	}
	right, wrong := policy(identity, key), policy("https://git.example/b", generate(t, "P-256").key(t, "another key"))
	if len(captured.Cases) == 0 {
		t.Fatal("there are no cases")
	}
	for _, c := range captured.Cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			m := newMemory()
			m.tags, m.referring = c.Tags, c.Referrers
			for _, content := range c.Contents {
				m.push("", []byte(content))
			}
			want, reason := Signer{Digest: c.Subject.Digest, Key: "cosign.pub"}, pluginsv1alpha1.ReasonSignedByAnotherKey
			if c.Keyless {
				want = Signer{Digest: c.Subject.Digest, Issuer: issuer, Subject: identity}
				reason = pluginsv1alpha1.ReasonSignedByAnotherIdentity
			}
			if signer, err := Verify(t.Context(), []Repository{m}, c.Subject, reference, right); err != nil || signer != want {
				t.Errorf("got %+v, %v, want %+v", signer, err, want)
			}
			check(t, m, c.Subject, wrong, reason, "")
		})
	}
}
