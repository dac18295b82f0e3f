// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/source/oci"
	"github.com/k1s-io/k1s/internal/source/oci/signature"
)

// signatures returns whose signatures the spec accepts, with the keys and the trusted root that it names.
func (f fetchOCI) signatures(ctx context.Context, l *load, v *pluginsv1alpha1.Verification) (*oci.Signatures, error) {
	if v == nil || v.Cosign == nil {
		return nil, nil //nolint:nilnil // none is required
	}
	var policy signature.Policy
	id := sha256.New()
	for i, from := range v.Cosign.PublicKeys {
		text, name, err := f.publicKey(ctx, l, from)
		if err != nil {
			return nil, err
		}
		key, err := signature.ParseKey(name, text)
		if err != nil {
			return nil, err
		}
		policy.Keys = append(policy.Keys, key)
		fmt.Fprintf(id, "key %d: %q", i, text)
	}
	if k := v.Cosign.Keyless; k != nil {
		text, name, err := f.configMapKey(ctx, l.name.Namespace, *k.TrustedRoot, "keyless.trustedRoot", pluginsv1alpha1.ReasonTrustedRootInvalid)
		if err != nil {
			return nil, err
		}
		root, err := signature.ParseTrustedRoot(name, text)
		if err != nil {
			return nil, err
		}
		if policy.Keyless, err = signature.ParseKeyless(k.Issuer, k.Subject, k.SubjectRegExp, root); err != nil {
			return nil, err
		}
		fmt.Fprintf(id, "identity %q %q %q: %q", k.Issuer, k.Subject, k.SubjectRegExp, text)
	}
	return &oci.Signatures{ID: hex.EncodeToString(id.Sum(nil)), Policy: policy}, nil
}

// publicKey returns a public key in PEM, and what it is called in messages.
func (f fetchOCI) publicKey(ctx context.Context, l *load, from pluginsv1alpha1.PublicKey) (text []byte, name string, err error) {
	if from.ConfigMapKeyRef != nil {
		return f.configMapKey(ctx, l.name.Namespace, *from.ConfigMapKeyRef, "publicKeys", pluginsv1alpha1.ReasonVerificationKeyInvalid)
	}
	if from.SecretKeyRef == nil { // the API server rejects this
		return nil, "", plugin.Reject(pluginsv1alpha1.ReasonVerificationKeyInvalid, "spec.source.oci.verify.cosign.publicKeys has an entry without a key")
	}
	id, ref := plan.IdentityOf(l.plugin), *from.SecretKeyRef
	name = fmt.Sprintf("key %q of Secret %q", ref.Key, ref.Name)
	data, err := f.secrets.Secret(ctx, id, ref.Name)
	switch {
	case apierrors.IsNotFound(err):
		return nil, "", plugin.Reject(pluginsv1alpha1.ReasonVerificationKeyInvalid,
			"Secret %q of spec.source.oci.verify.cosign.publicKeys does not exist in namespace %q: create it, or change the spec", ref.Name, id.Namespace)
	case apierrors.IsForbidden(err):
		return nil, "", plugin.Reject(pluginsv1alpha1.ReasonVerificationKeyInvalid, "%s",
			plan.GrantMessage(id, []plan.Grant{plan.GrantToGet(id.Namespace, []string{ref.Name})}))
	case err != nil:
		return nil, "", fmt.Errorf("get Secret %q: %w", ref.Name, err)
	}
	return data[ref.Key], name, nil
}

// configMapKey returns the value of a key of a ConfigMap, and what it is called in messages. The reason is that of a
// ConfigMap that does not exist.
func (f fetchOCI) configMapKey(ctx context.Context, namespace string, ref pluginsv1alpha1.KeyReference, field, reason string) (text []byte, name string, err error) {
	var cm corev1.ConfigMap
	err = f.reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: ref.Name}, &cm)
	switch {
	case apierrors.IsNotFound(err):
		return nil, "", plugin.Reject(reason,
			"ConfigMap %q of spec.source.oci.verify.cosign.%s does not exist in namespace %q: create it, or change the spec", ref.Name, field, namespace)
	case err != nil:
		return nil, "", fmt.Errorf("get ConfigMap %q: %w", ref.Name, err)
	}
	name = fmt.Sprintf("key %q of ConfigMap %q", ref.Key, ref.Name)
	if text, ok := cm.BinaryData[ref.Key]; ok {
		return text, name, nil
	}
	return []byte(cm.Data[ref.Key]), name, nil
}

// isAboutSignatures reports whether a reason belongs to the condition SignatureVerified.
func isAboutSignatures(reason string) bool {
	switch reason {
	case pluginsv1alpha1.ReasonVerificationKeyInvalid, pluginsv1alpha1.ReasonTrustedRootInvalid, pluginsv1alpha1.ReasonIdentityInvalid,
		pluginsv1alpha1.ReasonNotSigned, pluginsv1alpha1.ReasonTooManySignatures, pluginsv1alpha1.ReasonSignatureMalformed,
		pluginsv1alpha1.ReasonSignatureOfAnotherDigest, pluginsv1alpha1.ReasonSignedByAnotherKey, pluginsv1alpha1.ReasonSignatureInvalid,
		pluginsv1alpha1.ReasonNotInTransparencyLog, pluginsv1alpha1.ReasonCertificateUntrusted, pluginsv1alpha1.ReasonCertificateExpired,
		pluginsv1alpha1.ReasonSignedByAnotherIdentity:
		return true
	}
	return false
}
