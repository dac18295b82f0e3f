// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv/registry"
	"github.com/k1s-io/k1s/internal/testenv/sigstore"
)

// signedAs requires a signature by an identity, with the trusted root in a ConfigMap.
func signedAs(configMap, subject, subjectRegExp string) func(*pluginsv1alpha1.WasmPluginSpec) {
	return func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.Source.OCI.Verify = &pluginsv1alpha1.Verification{Cosign: &pluginsv1alpha1.CosignVerification{Keyless: &pluginsv1alpha1.KeylessIdentity{
			Issuer: sigstore.Issuer, Subject: subject, SubjectRegExp: subjectRegExp,
			TrustedRoot: &pluginsv1alpha1.KeyReference{Name: configMap, Key: "trusted_root.json"},
		}}}
	}
}

// TestOperator_oci_keyless checks that only a signature by the identity of the spec counts, whose certificate and log entry
// the trusted root of the spec proves, and that the previous revision keeps serving without one.
func TestOperator_oci_keyless(t *testing.T) {
	server := registry.Start(t, registry.Options{})
	o := startOperator(t, pollsOften, loopback)
	shop := newTenant(t, o.env, annotatorRules()...)
	ours, theirs := sigstore.New(t), sigstore.New(t)
	trust := func(name, key string, text []byte) {
		shop.Create(t, &corev1.ConfigMap{ObjectMeta: shop.Meta(name), Data: map[string]string{key: string(text)}})
	}
	root := ours.TrustedRoot(t)
	trust("ours", "trusted_root.json", root)
	trust("theirs", "trusted_root.json", theirs.TrustedRoot(t))
	trust("rubbish", "trusted_root.json", []byte("rubbish"))
	trust("another-key", "root.json", root)
	pushed := server.Push(t, "annotator", "v1", conformanceFixture(t, "annotator.wasm"))
	signer := `subject "` + sigstore.Subject + `" of issuer "` + sigstore.Issuer + `"`
	serves := func(what string) {
		t.Helper()
		got := shop.expectArtifact(t, "annotator", pushed.String())
		if got.Signer != signer {
			t.Errorf("%s: the signer is %s, want %s", what, got.Signer, signer)
		}
		shop.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionSignatureVerified, metav1.ConditionTrue, pluginsv1alpha1.ReasonSucceeded, pushed.String(), signer)
	}
	shop.Plugin(t, "annotator", fromRegistry(server.Address+"/annotator:v1"), signedAs("ours", sigstore.Subject, ""))
	shop.expectUnsigned(t, "annotator", pluginsv1alpha1.ReasonNotSigned, "cosign sign")
	server.Sign(t, "annotator", pushed, ours)
	serves("signed")
	shop.category(t, "tools")
	shop.expectAnnotated(t, "tools")

	const another = "https://git.example/b"
	whole := strings.TrimSuffix(sigstore.Subject, "v1") + `v\d+`
	for _, step := range []struct {
		name   string
		change func(*pluginsv1alpha1.WasmPluginSpec)
		reason string // empty means that the signature counts
		parts  []string
	}{
		{"another subject", signedAs("ours", another, ""), pluginsv1alpha1.ReasonSignedByAnotherIdentity, []string{signer, another}},
		{"an expression", signedAs("ours", "", whole), "", nil},
		{"an expression for a part", signedAs("ours", "", `https://git\.example`), pluginsv1alpha1.ReasonSignedByAnotherIdentity, []string{signer}},
		{"the root of another instance", signedAs("theirs", sigstore.Subject, ""), pluginsv1alpha1.ReasonNotInTransparencyLog, []string{"tlogs of the trusted root"}},
		{"a root that is not JSON", signedAs("rubbish", sigstore.Subject, ""), pluginsv1alpha1.ReasonTrustedRootInvalid, []string{`key "trusted_root.json" of ConfigMap "rubbish"`}},
		{"a root without the key", signedAs("another-key", sigstore.Subject, ""), pluginsv1alpha1.ReasonTrustedRootInvalid, []string{`key "trusted_root.json" of ConfigMap "another-key"`}},
		{"a root that does not exist", signedAs("missing", sigstore.Subject, ""), pluginsv1alpha1.ReasonTrustedRootInvalid, []string{`ConfigMap "missing"`, "keyless.trustedRoot", "does not exist"}},
	} {
		t.Log(step.name)
		shop.change(t, "annotator", step.change)
		if step.reason == "" {
			serves(step.name)
			continue
		}
		shop.expectUnsigned(t, "annotator", step.reason, step.parts...)
		shop.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionServing, metav1.ConditionTrue, pluginsv1alpha1.ReasonPreviousRevision)
	}
	trust("missing", "trusted_root.json", root)
	serves("a root that was created later")
}
