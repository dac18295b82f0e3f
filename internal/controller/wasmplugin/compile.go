// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/log"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/plugin"
)

// Engine compiles and runs modules.
type Engine interface {
	Describe(ctx context.Context, module plugin.Module, limits plugin.Limits) (plugin.Metadata, error)
	Load(ctx context.Context, req plugin.LoadRequest) (plugin.Runner, plugin.LoadInfo, error)
}

// Decorators wrap the Runner of a revision and the Host of its guest, and measure both.
type Decorators interface {
	Begin(plugin string)
	Host(r plugin.Revision, host plugin.Host) plugin.Host
	Limited(plugin, layer string)
	// Runner also returns a function to call each time the runner begins to serve.
	Runner(r plugin.Revision, runner plugin.Runner) (plugin.Runner, func())
	RolledBack(plugin string)
	SelfTriggered(plugin string)
	Stops(plugin string)
	Forget(plugin string)
}

// compile compiles and initializes the wanted revision, unless it serves already.
type compile struct {
	engine    Engine
	guests    guests
	revisions *Revisions
	// changed is called when the evaluation of a plugin's calls changes.
	changed func(types.NamespacedName)
}

// guests creates what connects the guest of a revision with the cluster.
type guests struct {
	hosts      Hosts
	decorators Decorators
	events     recorder
}

// Hosts creates the clients with which a guest, or the operator on its behalf, reaches the cluster.
type Hosts interface {
	Secrets
	New(o access.Options) (*access.RestrictedClient, error)
	// Finalizer returns a plugin's Finalizer, which adds the plugin's finalizer to objects and removes it.
	Finalizer(id rbac.Identity) (*access.Finalizer, error)
}

func (c compile) run(ctx context.Context, l *load) *problem {
	fingerprint := l.plan.Fingerprint(l.module.Digest)
	if l.current != nil && l.current.fingerprint == fingerprint {
		return nil
	}
	if id := l.plan.Identity; id.Operator != "" {
		log.FromContext(ctx).Info("Loading a plugin of the plugin directory that RBAC does not bound: it acts as the operator itself",
			"account", id.Operator, "digest", l.module.Digest.Short())
	}
	info, err := c.load(ctx, l)
	if err != nil {
		return problemOf(pluginsv1alpha1.ConditionCompiled, err)
	}
	x := l.compiled.revision
	x.fingerprint, x.digest, x.exports = fingerprint, l.module.Digest, info.Exports
	x.status = c.status(l, info)
	x.track = plugin.NewTrack(func() { c.changed(l.name) })
	l.conditions.True(pluginsv1alpha1.ConditionCompiled, pluginsv1alpha1.ReasonSucceeded,
		fmt.Sprintf("%s is compiled, initialized and healthy", l.module.Digest.Short()))
	return nil
}

// load sets l.compiled to the loaded module, whose guest reaches the cluster through its own client.
func (c compile) load(ctx context.Context, l *load) (plugin.LoadInfo, error) {
	about := plugin.Revision{
		Plugin: l.name.String(), Digest: l.module.Digest, Metadata: l.plan.Metadata,
		MaxInstances: l.plan.Limits.MaxInstances, Redact: l.plan.Redact, OnBreaker: c.guests.events.breaker(l.plugin, l.module.Digest),
	}
	c.guests.decorators.Begin(about.Plugin)
	host, err := c.guests.host(l, c.revisions.writesOf(l.name))
	if err != nil {
		return plugin.LoadInfo{}, err
	}
	runner, info, err := c.engine.Load(ctx, plugin.LoadRequest{
		Name: about.Plugin, Module: l.module, Settings: l.plan.Settings, Redact: l.plan.Redact, Limits: l.plan.Limits,
		NoSnapshot: l.plan.Metadata.NoSnapshot,
		Host:       c.guests.decorators.Host(about, host), Reader: c.guests.decorators.Host(about, host.Reader()),
	})
	if err != nil {
		host.Close()
		return plugin.LoadInfo{}, err
	}
	runner = closing{Runner: runner, host: host}
	finalizer, err := c.guests.finalizer(l)
	if err == nil {
		err = checkBatch(info.Exports, about.Metadata)
	}
	if err != nil {
		_ = runner.Close(ctx) // it never served
		return plugin.LoadInfo{}, err
	}
	x := &revision{scope: &scope{plan: l.plan, kinds: l.kinds, finalizer: finalizer}}
	if a := l.plugin.Status.Artifact; a != nil && l.plugin.Spec.Source.OCI != nil {
		x.signer = a.Signer
	}
	runner, x.serving = c.guests.decorators.Runner(about, runner)
	l.compiled = &compiled{revision: x, runner: runner}
	return info, nil
}

func (c compile) status(l *load, info plugin.LoadInfo) pluginsv1alpha1.Revision {
	m := l.plan.Metadata
	return pluginsv1alpha1.Revision{
		Digest:        l.module.Digest.String(),
		ShortDigest:   l.module.Digest.Short(),
		Version:       m.Version,
		Language:      m.Language,
		ABI:           m.ABI,
		Source:        l.source,
		Types:         l.plan.Types(),
		LoadedAt:      metav1.NewTime(c.revisions.clock.Now().Truncate(time.Second)),
		SizeBytes:     int64(len(l.module.Bytes)),
		FetchMillis:   l.fetchTime.Milliseconds(),
		CompileMillis: (l.describeTime + info.Compile).Milliseconds(),
		Cached:        info.Cached,
	}
}

func (g guests) host(l *load, writes *access.OwnWrites) (*access.RestrictedClient, error) {
	return g.hosts.New(access.Options{
		Identity:              l.plan.Identity,
		Allowlist:             l.plan.Allowlist,
		StatusUpdate:          l.plan.Has(plugin.CapabilityStatusUpdate),
		MaxConcurrentRequests: l.plan.MaxConcurrentRequests,
		RequestsPerSecond:     l.plan.RequestsPerSecond,
		Burst:                 l.plan.Burst,
		Limited:               func(layer string) { g.decorators.Limited(l.name.String(), layer) },
		Writes:                writes,
		Watches:               l.plan.Watched(),
		Revision:              l.module.Digest.String(),
		Redact:                l.plan.Redact,
		Denied:                g.events.denials(l.plugin),
	})
}

// finalizer returns nil for a plugin that does not finalize.
func (g guests) finalizer(l *load) (Finalizer, error) {
	if !l.plan.Has(plugin.CapabilityFinalization) {
		return nil, nil //nolint:nilnil // see above
	}
	return g.hosts.Finalizer(l.plan.Identity)
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

// checkBatch rejects a module that declares batches but does not have the export for them.
func checkBatch(exports plugin.ExportSet, metadata plugin.Metadata) error {
	if metadata.MaxBatch < 2 || exports.Has(abi.ExportReconcileBatch) {
		return nil
	}
	return plugin.Reject(pluginsv1alpha1.ReasonMissingExport,
		"the module declares runtime.maxBatch but has no export %q: add it, or do not declare it", abi.ExportReconcileBatch)
}
