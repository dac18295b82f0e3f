// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/cmd/manager/app"
	"github.com/k1s-io/k1s/internal/testenv/registry"
)

// signedBy requires a signature by the key in a ConfigMap.
func signedBy(configMap string) func(*pluginsv1alpha1.WasmPluginSpec) {
	return func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.Source.OCI.Verify = &pluginsv1alpha1.Verification{Cosign: &pluginsv1alpha1.CosignVerification{PublicKeys: []pluginsv1alpha1.PublicKey{
			{ConfigMapKeyRef: &pluginsv1alpha1.KeyReference{Name: configMap, Key: "cosign.pub"}},
		}}}
	}
}

// expectUnsigned waits until a plugin has a reason why its signature does not count.
func (n tenant) expectUnsigned(t *testing.T, plugin, reason string, parts ...string) {
	t.Helper()
	n.ExpectCondition(t, plugin, pluginsv1alpha1.ConditionSignatureVerified, metav1.ConditionFalse, reason, parts...)
}

// TestOperator_oci_signed checks that nothing of an artifact runs that is not signed as the spec wants it, and that the
// previous revision keeps serving.
func TestOperator_oci_signed(t *testing.T) {
	server := registry.Start(t, registry.Options{})
	o := startOperator(t, pollsOften, loopback)
	shop := newTenant(t, o.env, annotatorRules()...)
	ours, theirs := registry.NewKey(t), registry.NewKey(t)
	for name, text := range map[string]string{"ours": ours.Public(t), "theirs": theirs.Public(t), "none": "rubbish"} {
		shop.Create(t, &corev1.ConfigMap{ObjectMeta: shop.Meta(name), Data: map[string]string{"cosign.pub": text}})
	}
	module := conformanceFixture(t, "annotator.wasm")
	pushed := server.Push(t, "annotator", "latest", module)
	every := int32(1)
	source := fromRegistry(server.Address + "/annotator:latest")
	shop.Plugin(t, "annotator", source, signedBy("ours"), func(s *pluginsv1alpha1.WasmPluginSpec) { s.Source.OCI.PollIntervalSeconds = &every })
	shop.expectUnsigned(t, "annotator", pluginsv1alpha1.ReasonNotSigned, "cosign sign")
	shop.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionFetched, metav1.ConditionUnknown, pluginsv1alpha1.ReasonPending)

	t.Log("signed")
	server.Sign(t, "annotator", pushed, ours)
	shop.expectArtifact(t, "annotator", pushed.String())
	shop.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionSignatureVerified, metav1.ConditionTrue, pluginsv1alpha1.ReasonSucceeded, `key "cosign.pub" of ConfigMap "ours"`)
	shop.category(t, "tools")
	shop.expectAnnotated(t, "tools")

	t.Log("the tag moves to something without a signature, and to something that somebody else has signed")
	other := server.Push(t, "annotator", "latest", append(module, 0, 1, 0))
	shop.expectUnsigned(t, "annotator", pluginsv1alpha1.ReasonNotSigned)
	shop.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionServing, metav1.ConditionTrue, pluginsv1alpha1.ReasonPreviousRevision)
	server.Sign(t, "annotator", other, theirs)
	shop.expectUnsigned(t, "annotator", pluginsv1alpha1.ReasonSignedByAnotherKey)
	shop.category(t, "toys")
	shop.expectAnnotated(t, "toys")

	t.Log("other keys in the spec")
	shop.change(t, "annotator", signedBy("none"))
	shop.expectUnsigned(t, "annotator", pluginsv1alpha1.ReasonVerificationKeyInvalid, `key "cosign.pub" of ConfigMap "none"`)
	shop.change(t, "annotator", signedBy("missing"))
	shop.expectUnsigned(t, "annotator", pluginsv1alpha1.ReasonVerificationKeyInvalid, "missing", "does not exist")
	shop.change(t, "annotator", func(s *pluginsv1alpha1.WasmPluginSpec) {
		signedBy("theirs")(s)
		s.Source.OCI.PollIntervalSeconds = nil
	})
	shop.expectArtifact(t, "annotator", other.String())

	t.Log("a key that is removed, while nothing else happens")
	if err := shop.Client.Delete(t.Context(), &corev1.ConfigMap{ObjectMeta: shop.Meta("theirs")}); err != nil {
		t.Fatal(err)
	}
	shop.expectUnsigned(t, "annotator", pluginsv1alpha1.ReasonVerificationKeyInvalid, "theirs", "does not exist")
}

// TestOperator_oci_signatureRequired checks that no WasmPlugin can do without a signature that the operator requires, also
// after a restart.
func TestOperator_oci_signatureRequired(t *testing.T) {
	server := registry.Start(t, registry.Options{})
	key := registry.NewKey(t)
	file := filepath.Join(t.TempDir(), "cosign.pub")
	if err := os.WriteFile(file, []byte(key.Public(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	o := startOperator(t, pollsOften, loopback)
	shop := newTenant(t, o.env, annotatorRules()...)
	pushed := server.Push(t, "annotator", "v1", conformanceFixture(t, "annotator.wasm"))
	shop.Plugin(t, "annotator", fromRegistry(server.Address+"/annotator:v1"))
	shop.expectArtifact(t, "annotator", pushed.String())

	o.end(t)
	o.configure = append(o.configure, func(o *app.Options) { o.Registries.RequiredSignatures = server.Address + "=" + file })
	o.start(t)
	shop.expectUnsigned(t, "annotator", pluginsv1alpha1.ReasonNotSigned) // although the cache has it
	spelled := strings.Replace(server.Address, "127.0.0.1", "[::ffff:127.0.0.1]", 1)
	shop.Plugin(t, "spelled", fromRegistry(spelled+"/annotator:v1"))
	shop.expectUnsigned(t, "spelled", pluginsv1alpha1.ReasonNotSigned)
	server.Sign(t, "annotator", pushed, key)
	shop.expectArtifact(t, "annotator", pushed.String())
	shop.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionSignatureVerified, metav1.ConditionTrue, pluginsv1alpha1.ReasonSucceeded, "the operator's key")

	t.Log("the administrator replaces the key, and then removes it")
	if err := os.WriteFile(file, []byte(registry.NewKey(t).Public(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	shop.change(t, "annotator", fromRegistry(server.Address+"/annotator:v1@"+pushed.String()))
	shop.expectUnsigned(t, "annotator", pluginsv1alpha1.ReasonSignedByAnotherKey)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	shop.change(t, "annotator", fromRegistry(server.Address+"/annotator@"+pushed.String()))
	shop.expectUnsigned(t, "annotator", pluginsv1alpha1.ReasonVerificationKeyInvalid, "--require-signature")
}
