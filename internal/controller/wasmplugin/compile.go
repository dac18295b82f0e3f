// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"fmt"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/plugin"
)

// compile makes a revision that is ready to serve, unless it serves already.
func (r *Reconciler) compile(ctx context.Context, l *load) *problem {
	if s := r.serving.get(l.name); s != nil && s.fingerprint == l.plan.fingerprint(l.module.Digest) {
		return nil
	}
	host, err := r.Hosts.New(access.Options{
		Identity:              l.plan.identity,
		Allowlist:             l.plan.allowlist,
		StatusUpdate:          l.plan.has(plugin.CapabilityStatusUpdate),
		MaxConcurrentRequests: l.plan.maxConcurrentRequests,
		Watches:               l.plan.watched(),
	})
	if err == nil {
		l.runner, l.info, err = r.Engine.Load(ctx, plugin.LoadRequest{
			Name: l.name.String(), Module: l.module, Settings: l.plan.settings, Limits: l.plan.limits, Host: host,
		})
	}
	if err != nil {
		return problemOf(pluginsv1alpha1.ConditionCompiled, err)
	}
	l.conditions.True(pluginsv1alpha1.ConditionCompiled, pluginsv1alpha1.ReasonSucceeded,
		fmt.Sprintf("%s is compiled, initialised and healthy", l.module.Digest.Short()))
	return nil
}

func (p plan) has(c plugin.Capability) bool {
	for _, granted := range p.capabilities {
		if granted == c {
			return true
		}
	}
	return false
}
