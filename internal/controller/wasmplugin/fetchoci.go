// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/source/oci"
	"github.com/k1s-io/k1s/internal/source/oci/dockerconfig"
)

// Artifacts pulls modules from OCI registries in the background.
type Artifacts interface {
	Fetch(ctx context.Context, r oci.Request) (oci.Result, error)
	// RequiresSignature reports whether the operator requires a signature, whatever the spec says.
	RequiresSignature(source pluginsv1alpha1.OCISource) bool
	// Forget ends what runs for a plugin.
	Forget(name types.NamespacedName)
}

// fetchOCI reads the module of an artifact, with the credentials and the CAs that the spec names.
type fetchOCI struct {
	artifacts Artifacts
	// reader reads ServiceAccounts and ConfigMaps from the API server.
	reader client.Reader
	// secrets reads Secrets as the plugin.
	secrets Secrets
}

// run sets l.module, l.source, l.fetchAgain and the status of the artifact.
func (f fetchOCI) run(ctx context.Context, l *load, source pluginsv1alpha1.OCISource) (message string, err error) {
	l.source = oci.Describe(source)
	r := oci.Request{Plugin: l.name, Source: source}
	var unread []string
	if r.Keyring, unread, err = f.keyring(ctx, l, source.PullSecrets); err != nil {
		return "", err
	}
	if source.CABundle != nil {
		if r.CABundle, err = f.caBundle(ctx, l.name.Namespace, *source.CABundle); err != nil {
			return "", err
		}
	}
	if r.Signatures, err = f.signatures(ctx, l, source.Verify); err != nil {
		return "", err
	}
	result, err := f.artifacts.Fetch(ctx, r)
	l.fetchAgain = result.Again
	if err != nil {
		if old := l.plugin.Status.Artifact; old != nil { // that of the previous revision
			old.LastPolledAt = latest(old.LastPolledAt, timeOf(result.PolledAt))
		}
		return "", withUnread(err, unread)
	}
	l.module = result.Module
	l.plugin.Status.Artifact = artifactStatus(result, l.plugin.Status.Artifact)
	message = fmt.Sprintf("%d bytes from %s (%s, %s)", len(l.module.Bytes), l.source, result.Format, result.Digest)
	if result.Failure != nil {
		message += fmt.Sprintf("; it is in the operator's cache, but the last request to the registry failed: %v", result.Failure)
	}
	return message, nil
}

// artifactStatus returns the status of an artifact, given the previous status or nil.
func artifactStatus(r oci.Result, old *pluginsv1alpha1.ArtifactStatus) *pluginsv1alpha1.ArtifactStatus {
	out := &pluginsv1alpha1.ArtifactStatus{
		Digest: r.Digest.String(), Format: string(r.Format), Signer: r.Signer, ResolvedAt: timeOf(r.ResolvedAt), LastPolledAt: timeOf(r.PolledAt),
		PulledAt: timeOf(r.Pull.At), PullMillis: r.Pull.Took.Milliseconds(), PulledBytes: r.Pull.Bytes,
	}
	if old == nil || old.Digest != out.Digest {
		return out
	}
	if r.Pull.At.IsZero() { // the credential has changed, for which the cache had everything
		out.PulledAt, out.PullMillis, out.PulledBytes = old.PulledAt, old.PullMillis, old.PulledBytes
	}
	if !r.PolledAt.IsZero() { // the operator may have restarted after a poll that failed
		out.LastPolledAt = latest(old.LastPolledAt, out.LastPolledAt)
	}
	return out
}

// timeOf returns a time as the API server stores it, in seconds. Otherwise, the status would differ from the stored one
// whenever the plugin is reconciled.
func timeOf(t time.Time) metav1.Time {
	out := metav1.NewTime(t)
	return out.Rfc3339Copy()
}

func latest(a, b metav1.Time) metav1.Time {
	if a.Before(&b) {
		return b
	}
	return a
}

// needsSignature reports whether the plugin has the condition SignatureVerified.
func (f fetchOCI) needsSignature(source pluginsv1alpha1.OCISource) bool {
	return source.Verify != nil || f.artifacts.RequiresSignature(source)
}

// keyring reads the pull secrets of the spec and those of the ServiceAccount. unread are the latter that cannot be read:
// the artifact may be public.
func (f fetchOCI) keyring(ctx context.Context, l *load, named []pluginsv1alpha1.PullSecret) (ring dockerconfig.Keyring, unread []string, err error) {
	id := plan.IdentityOf(l.plugin)
	var rings []dockerconfig.Keyring
	for _, s := range named {
		ring, err := f.secret(ctx, id, s.Name)
		if err != nil {
			return ring, nil, err
		}
		rings = append(rings, ring)
	}
	var account corev1.ServiceAccount
	err = f.reader.Get(ctx, client.ObjectKey{Namespace: id.Namespace, Name: id.ServiceAccount}, &account)
	if client.IgnoreNotFound(err) != nil { // a later phase reports that it does not exist
		return ring, nil, fmt.Errorf("get ServiceAccount %q: %w", id.ServiceAccount, err)
	}
	for _, s := range account.ImagePullSecrets {
		ring, err := f.secret(ctx, id, s.Name)
		if load := (*plugin.LoadError)(nil); errors.As(err, &load) {
			unread = append(unread, s.Name)
			continue
		}
		if err != nil { // without this credential, the task of the plugin would be another one
			return ring, nil, err
		}
		rings = append(rings, ring)
	}
	return dockerconfig.Join(rings...), unread, nil
}

func (f fetchOCI) secret(ctx context.Context, id rbac.Identity, name string) (dockerconfig.Keyring, error) {
	data, err := f.secrets.Secret(ctx, id, name)
	switch {
	case apierrors.IsNotFound(err):
		return dockerconfig.Keyring{}, plugin.Reject(pluginsv1alpha1.ReasonPullSecretNotFound,
			"Secret %q does not exist in namespace %q: create it with `kubectl create secret docker-registry`, or change spec.source.oci.pullSecrets", name, id.Namespace)
	case apierrors.IsForbidden(err):
		return dockerconfig.Keyring{}, plugin.Reject(pluginsv1alpha1.ReasonPullSecretForbidden, "%s",
			plan.GrantMessage(id, []plan.Grant{plan.GrantToGet(id.Namespace, []string{name})}))
	case err != nil:
		return dockerconfig.Keyring{}, fmt.Errorf("get Secret %q: %w", name, err)
	}
	ring, err := dockerconfig.Parse(data)
	if err != nil {
		return ring, plugin.Reject(pluginsv1alpha1.ReasonPullSecretInvalid,
			"Secret %q of spec.source.oci.pullSecrets has no credentials: %v; create it with `kubectl create secret docker-registry`", name, err)
	}
	return ring, nil
}

func (f fetchOCI) caBundle(ctx context.Context, namespace string, ref pluginsv1alpha1.CABundle) ([]byte, error) {
	var cm corev1.ConfigMap
	err := f.reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: ref.Name}, &cm)
	switch {
	case apierrors.IsNotFound(err):
		return nil, plugin.Reject(pluginsv1alpha1.ReasonConfigMapNotFound,
			"ConfigMap %q of spec.source.oci.caBundle does not exist in namespace %q: create it with the CA certificate in its key %q", ref.Name, namespace, ref.Key)
	case err != nil:
		return nil, fmt.Errorf("get ConfigMap %q: %w", ref.Name, err)
	}
	if text := cm.Data[ref.Key]; text != "" {
		return []byte(text), nil
	}
	if text := cm.BinaryData[ref.Key]; len(text) > 0 {
		return text, nil
	}
	return nil, plugin.Reject(pluginsv1alpha1.ReasonConfigMapKeyNotFound,
		"ConfigMap %q of spec.source.oci.caBundle has no key %q: store the CA certificate in PEM there", ref.Name, ref.Key)
}

// withUnread adds the pull secrets that could not be read to the error that may be their consequence.
func withUnread(err error, unread []string) error {
	var load *plugin.LoadError
	if len(unread) == 0 || !errors.As(err, &load) || load.Reason != pluginsv1alpha1.ReasonUnauthorized {
		return err
	}
	return plugin.Reject(load.Reason, "%v; the imagePullSecrets of the ServiceAccount that it cannot get were not used: %s", load, strings.Join(unread, ", "))
}
