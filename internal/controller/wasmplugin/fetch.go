// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"cmp"
	"context"
	"fmt"

	"k8s.io/utils/clock"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/source/configmap"
	"github.com/k1s-io/k1s/internal/source/directory"
)

// ConfigMaps reads modules from ConfigMaps.
type ConfigMaps interface {
	Fetch(ctx context.Context, namespace string, ref pluginsv1alpha1.ConfigMapSource) (plugin.Module, error)
}

// Files reads modules from the plugin directory.
type Files interface {
	Fetch(ctx context.Context, path string) (plugin.Module, error)
}

// fetch reads the module's bytes.
type fetch struct {
	configMaps ConfigMaps
	files      Files
	oci        fetchOCI
	clock      clock.PassiveClock
}

func (f fetch) run(ctx context.Context, l *load) *problem {
	start := f.clock.Now()
	var err error
	var message string
	oci := l.plugin.Spec.Source.OCI
	if oci == nil {
		f.oci.artifacts.Forget(l.name)
		l.plugin.Status.Artifact = nil
	}
	if l.needsSignature = oci != nil && f.oci.needsSignature(*oci); !l.needsSignature {
		l.conditions.Remove(pluginsv1alpha1.ConditionSignatureVerified)
	}
	switch s := l.plugin.Spec.Source; {
	case s.ConfigMap != nil:
		l.source = configmap.Describe(*s.ConfigMap)
		l.module, err = f.configMaps.Fetch(ctx, l.name.Namespace, *s.ConfigMap)
	case s.OCI != nil:
		message, err = f.oci.run(ctx, l, *s.OCI)
	case s.File != nil:
		l.source = directory.Describe(s.File.Path)
		if err = directory.ProblemOf(l.plugin); err == nil {
			l.module, err = f.files.Fetch(ctx, s.File.Path)
		}
	default: // the API server rejects this, but an object from before a change of the CRD may have it
		err = plugin.Reject(pluginsv1alpha1.ReasonSourceUnavailable, "spec.source is empty: set configMap, oci or file")
	}
	if err != nil {
		return f.failed(l, err)
	}
	if l.needsSignature {
		l.conditions.True(pluginsv1alpha1.ConditionSignatureVerified, pluginsv1alpha1.ReasonSucceeded,
			fmt.Sprintf("%s is signed by %s", l.plugin.Status.Artifact.Digest, l.plugin.Status.Artifact.Signer))
	}
	l.fetchTime = f.clock.Since(start)
	l.conditions.True(pluginsv1alpha1.ConditionFetched, pluginsv1alpha1.ReasonSucceeded,
		cmp.Or(message, fmt.Sprintf("%d bytes from %s", len(l.module.Bytes), l.source)))
	return nil
}

// failed returns the problem with the condition that it belongs to.
func (f fetch) failed(l *load, err error) *problem {
	p := problemOf(pluginsv1alpha1.ConditionFetched, err)
	switch {
	case isAboutSignatures(p.reason):
		p.condition = pluginsv1alpha1.ConditionSignatureVerified
	case l.needsSignature:
		l.conditions.Unknown(pluginsv1alpha1.ConditionSignatureVerified, pluginsv1alpha1.ReasonPending, "waits for "+pluginsv1alpha1.ConditionFetched)
	}
	return p
}
