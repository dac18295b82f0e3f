// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"fmt"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/plugin"
)

// compile compiles and initializes the wanted revision, unless it serves already.
func (r *Reconciler) compile(ctx context.Context, l *load) *problem {
	if s := r.serving.get(l.name); s != nil && s.fingerprint == l.plan.fingerprint(l.module.Digest) {
		return nil
	}
	about := r.about(l)
	r.Decorators.Begin(about.Plugin)
	l.warnWithoutRBAC(ctx)
	host, err := r.Hosts.New(access.Options{
		Identity:              l.plan.identity,
		Allowlist:             l.plan.allowlist,
		StatusUpdate:          l.plan.has(plugin.CapabilityStatusUpdate),
		MaxConcurrentRequests: l.plan.maxConcurrentRequests,
		RequestsPerSecond:     l.plan.requestsPerSecond,
		Burst:                 l.plan.burst,
		Limited:               func(layer string) { r.Decorators.Limited(about.Plugin, layer) },
		Writes:                r.writesOf(l.name),
		Watches:               l.plan.watched(),
		Revision:              l.module.Digest.String(),
		Redact:                l.plan.redact,
		Denied:                r.reportDenials(l.plugin),
	})
	if err != nil {
		return problemOf(pluginsv1alpha1.ConditionCompiled, err)
	}
	runner, info, err := r.Engine.Load(ctx, plugin.LoadRequest{
		Name: about.Plugin, Module: l.module, Settings: l.plan.settings, Redact: l.plan.redact, Limits: l.plan.limits,
		NoSnapshot: l.plan.metadata.NoSnapshot, Host: r.Decorators.Host(about, host), Reader: r.Decorators.Host(about, host.Reader()),
	})
	if err != nil {
		host.Close()
		return problemOf(pluginsv1alpha1.ConditionCompiled, err)
	}
	runner = closing{Runner: runner, host: host}
	if err := checkBatch(info.Exports, about.Metadata); err != nil {
		_ = runner.Close(ctx) // it never served
		return problemOf(pluginsv1alpha1.ConditionCompiled, err)
	}
	if l.plan.has(plugin.CapabilityFinalization) {
		finalizer, err := r.Hosts.Finalizer(l.plan.identity)
		if err != nil {
			_ = runner.Close(ctx) // it never served
			return problemOf(pluginsv1alpha1.ConditionCompiled, err)
		}
		l.finalizer = finalizer
	}
	l.info = info
	l.runner, l.serving = r.Decorators.Runner(about, runner)
	l.conditions.True(pluginsv1alpha1.ConditionCompiled, pluginsv1alpha1.ReasonSucceeded,
		fmt.Sprintf("%s is compiled, initialized and healthy", l.module.Digest.Short()))
	return nil
}

// closing is a Runner that also closes the client of its revision's guest.
type closing struct {
	plugin.Runner
	host *access.RestrictedClient
}

// Close implements plugin.Runner.
func (c closing) Close(ctx context.Context) error {
	defer c.host.Close()
	return c.Runner.Close(ctx)
}

// about describes the revision that is about to be loaded.
func (r *Reconciler) about(l *load) plugin.Revision {
	return plugin.Revision{
		Plugin: l.name.String(), Digest: l.module.Digest, Metadata: l.plan.metadata,
		MaxInstances: l.plan.limits.MaxInstances, Redact: l.plan.redact, OnBreaker: r.reportBreaker(l.plugin, l.module.Digest),
	}
}

// checkBatch rejects a module that declares batches but does not have the export for them.
func checkBatch(exports plugin.ExportSet, metadata plugin.Metadata) error {
	if metadata.MaxBatch < 2 || exports.Has(abi.ExportReconcileBatch) {
		return nil
	}
	return plugin.Reject(pluginsv1alpha1.ReasonMissingExport,
		"the module declares runtime.maxBatch but has no export %q: add it, or do not declare it", abi.ExportReconcileBatch)
}
