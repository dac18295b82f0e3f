// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"fmt"

	"k8s.io/utils/clock"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
	"github.com/k1s-io/k1s/internal/plugin"
)

// verify checks that the module has the pinned digest, that it is a plugin, and that it fits the spec.
type verify struct {
	engine Engine
	// described caches the metadata of the modules that were described; it may be nil.
	described *plugin.Described
	clock     clock.PassiveClock
	replica   *replica
}

func (v verify) run(ctx context.Context, l *load) *problem {
	if pin := plugin.Digest(l.plugin.Spec.SHA256); pin != "" && pin != l.module.Digest {
		return problemOf(pluginsv1alpha1.ConditionVerified, plugin.Reject(pluginsv1alpha1.ReasonDigestMismatch,
			"the module's SHA-256 is %s, but spec.sha256 pins %s: put the pinned module back, or change the pin", string(l.module.Digest), string(pin)))
	}
	metadata, err := v.describe(ctx, l)
	if err == nil {
		limited := *l.plugin
		limited.Spec.Runtime = l.runtime
		l.plan, err = plan.New(&limited, metadata)
	}
	if err != nil {
		return problemOf(pluginsv1alpha1.ConditionVerified, err)
	}
	l.conditions.True(pluginsv1alpha1.ConditionVerified, pluginsv1alpha1.ReasonSucceeded,
		fmt.Sprintf("%s %s, %s", metadata.Name, metadata.Version, l.module.Digest))
	l.isStandby = v.replica.isStandby(l.plan)
	return nil
}

// describe returns the module's metadata. It does not call the engine for the module of the serving revision.
func (v verify) describe(ctx context.Context, l *load) (plugin.Metadata, error) {
	limits := plan.LimitsOf(l.runtime, l.name.Namespace)
	if c := l.current; c != nil && c.digest == l.module.Digest && c.plan.Limits == limits {
		return c.plan.Metadata, nil
	}
	start := v.clock.Now()
	defer func() { l.describeTime = v.clock.Since(start) }()
	metadata, err := v.engine.Describe(ctx, l.module, limits)
	if err == nil {
		v.described.Remember(l.module.Digest, metadata)
	}
	return metadata, err
}
