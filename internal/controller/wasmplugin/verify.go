// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"fmt"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// verify checks that the module has the pinned digest, that it is a plugin, and that it fits the spec.
func (r *Reconciler) verify(ctx context.Context, l *load) *problem {
	if pin := plugin.Digest(l.plugin.Spec.SHA256); pin != "" && pin != l.module.Digest {
		return problemOf(pluginsv1alpha1.ConditionVerified, plugin.Reject(pluginsv1alpha1.ReasonDigestMismatch,
			"the module's SHA-256 is %s, but spec.sha256 pins %s: put the pinned module back, or change the pin", string(l.module.Digest), string(pin)))
	}
	metadata, err := r.describe(ctx, l)
	if err == nil {
		limited := *l.plugin
		limited.Spec.Runtime = l.runtime
		l.plan, err = newPlan(&limited, metadata)
	}
	if err != nil {
		return problemOf(pluginsv1alpha1.ConditionVerified, err)
	}
	l.conditions.True(pluginsv1alpha1.ConditionVerified, pluginsv1alpha1.ReasonSucceeded,
		fmt.Sprintf("%s %s, %s", metadata.Name, metadata.Version, l.module.Digest))
	l.isStandby = r.isStandby(l.plan)
	return nil
}

// describe returns the module's metadata. It does not call the engine for the module of the serving revision.
func (r *Reconciler) describe(ctx context.Context, l *load) (plugin.Metadata, error) {
	limits := limitsOf(l.runtime, l.name.Namespace)
	if s := r.serving.get(l.name); s != nil && s.digest == l.module.Digest && s.plan.limits == limits {
		return s.metadata, nil
	}
	start := r.Clock.Now()
	defer func() { l.describeTime = r.Clock.Since(start) }()
	metadata, err := r.Engine.Describe(ctx, l.module, limits)
	if err == nil {
		r.Described.Remember(l.module.Digest, metadata)
	}
	return metadata, err
}
