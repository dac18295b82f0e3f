// SPDX-License-Identifier: Apache-2.0

package app

import (
	"cmp"
	"context"
	"fmt"
	"net/http"

	authorizationv1client "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/access/audit"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/admission"
	"github.com/k1s-io/k1s/internal/controller/category"
	"github.com/k1s-io/k1s/internal/controller/item"
	"github.com/k1s-io/k1s/internal/controller/plugindirectory"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin"
	"github.com/k1s-io/k1s/internal/embedded"
	"github.com/k1s-io/k1s/internal/kinds"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/plugin/metrics"
	"github.com/k1s-io/k1s/internal/source/configmap"
	"github.com/k1s-io/k1s/internal/source/directory"
	"github.com/k1s-io/k1s/internal/source/oci"
	"github.com/k1s-io/k1s/internal/watch"
)

// plugins holds what outlives the manager. It is closed after the last call has ended.
type plugins struct {
	engine     wasmplugin.Engine
	slots      *plugin.Registry
	decorators wasmplugin.Decorators
	// described caches the metadata of recently loaded modules.
	described *plugin.Described
	audit     audit.Sink
	measured  *metrics.Metrics
	egress    access.Egress
	artifacts *oci.Source
}

// setUp adds the operator's components to the manager.
func setUp(ctx context.Context, mgr manager.Manager, o Options, p plugins) error {
	if err := setUpEmbedded(mgr, o); err != nil {
		return err
	}
	hooks, err := setUpWebhooks(ctx, mgr, o)
	if err != nil {
		return err
	}
	if err := setUpPlugins(ctx, mgr, o, p, hooks); err != nil {
		return err
	}
	if hooks == nil {
		err = mgr.Add(removeWebhooks(mgr, o.Namespace))
	} else {
		err = hooks.serveWasmPlugins(mgr, o, p.described)
	}
	if err != nil {
		return err
	}
	return mgr.AddReadyzCheck("cache", func(req *http.Request) error {
		if !mgr.GetCache().WaitForCacheSync(req.Context()) {
			return fmt.Errorf("the cache is not in sync")
		}
		return nil
	})
}

// setUpEmbedded registers the embedded controllers. To add one, add its constructor to the list.
func setUpEmbedded(mgr manager.Manager, o Options) error {
	registry := embedded.NewRegistry()
	for _, construct := range []embedded.Constructor{
		item.New,
		category.New,
	} {
		if err := registry.Register(mgr, embedded.DefaultConfig(), construct); err != nil {
			return err
		}
	}
	if err := registry.RegisterMetrics(o.Registerer); err != nil {
		return err
	}
	if err := mgr.AddHealthzCheck("embedded-controllers", registry.Check); err != nil {
		return fmt.Errorf("add a health check: %w", err)
	}
	return registry.SetupWithManager(mgr)
}

// setUpPlugins creates the WasmPlugin controller and its dependencies.
func setUpPlugins(ctx context.Context, mgr manager.Manager, o Options, p plugins, hooks *webhooks) error {
	clk := clock.RealClock{}
	resolver, err := kinds.NewResolver(mgr.GetConfig(), mgr.GetHTTPClient(), clk)
	if err != nil {
		return fmt.Errorf("resolve kinds: %w", err)
	}
	shared, err := watch.NewCache(mgr.GetConfig())
	if err != nil {
		return fmt.Errorf("make the plugins' cache: %w", err)
	}
	watches := watch.NewManager(shared, mgr.GetLogger().WithName("watch"))
	p.measured.Queues(watches.Depths)
	reviews, err := authorizationv1client.NewForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return fmt.Errorf("make a client for access reviews: %w", err)
	}
	authorizer := rbac.NewAuthorizer(reviews, clk)
	files := directory.New(o.PluginDir, o.MaxModuleBytes)
	changes := directory.NewWatcher(files, mgr.GetLogger().WithName("plugin-directory"))
	for _, runnable := range []manager.Runnable{shared, watches, changes} {
		if err := mgr.Add(runnable); err != nil {
			return fmt.Errorf("add to the manager: %w", err)
		}
	}
	hosts := access.NewFactory(mgr.GetConfig(), resolver, watches, authorizer, cmp.Or[clock.PassiveClock](o.RateClock, clk))
	hosts.Audit, hosts.Metrics = p.audit, p.measured
	hosts.Egress = p.egress
	if hooks != nil {
		hosts.Marks = hooks.marks
	}
	revisions := wasmplugin.NewRevisions(p.slots, clk)
	p.measured.WithoutRBAC(revisions.WithoutRBAC)
	config := wasmplugin.Config{
		Client:     mgr.GetClient(),
		Kinds:      resolver,
		ConfigMaps: configmap.New(mgr.GetAPIReader(), o.MaxModuleBytes),
		Files:      files,
		Artifacts:  p.artifacts,
		APIReader:  mgr.GetAPIReader(),
		Engine:     p.engine,
		Watches:    watches,
		Revisions:  revisions,
		Authorizer: authorizer,
		Hosts:      hosts,
		Anomalies:  audit.NewDetector(clk, p.measured),
		Described:  p.described,
		Decorators: p.decorators,
		Events:     mgr.GetEventRecorder("k1s"),
		Ceilings:   o.Limits.Ceilings,
		Timing:     o.Timing,
	}
	if o.DirectoryPluginsWithoutRBAC {
		config.WithoutRBAC = &wasmplugin.WithoutRBAC{
			Namespace: o.Namespace, Directory: plugindirectory.Definitions{Directory: files}, Operator: rbac.NewOperator(mgr.GetConfig()),
		}
	}
	if hooks != nil {
		if config.Webhooks, err = hooks.servePlugins(ctx, mgr, o, admission.ServerOptions{
			Authorizer:  authorizer,
			Metrics:     p.measured,
			Conflict:    wasmplugin.Contested{Client: config.Client, Events: config.Events}.Record,
			Unavailable: wasmplugin.Unavailable{Client: config.Client, Revisions: revisions}.Plugin,
		}); err != nil {
			return err
		}
	}
	loader := wasmplugin.New(config)
	p.artifacts.OnChange(loader.ArtifactChanged)
	if err := mgr.Add(p.artifacts); err != nil {
		return fmt.Errorf("add to the manager: %w", err)
	}
	if err := mgr.AddReadyzCheck("plugins", loader.Ready); err != nil {
		return fmt.Errorf("add a readiness check: %w", err)
	}
	if err := loader.SetupWithManager(ctx, mgr, changes.Subscribe()); err != nil {
		return fmt.Errorf("set up the WasmPlugin controller: %w", err)
	}
	permissions, err := rbac.NewWatch(mgr.GetConfig(), mgr.GetHTTPClient(), authorizer, mgr.GetLogger().WithName("permissions"), loader.PermissionsChanged)
	if err != nil {
		return fmt.Errorf("watch RBAC objects: %w", err)
	}
	definitions, err := kinds.NewWatch(mgr.GetConfig(), mgr.GetHTTPClient(), resolver, mgr.GetLogger().WithName("kinds"), loader.KindsChanged)
	if err != nil {
		return fmt.Errorf("watch kinds: %w", err)
	}
	for _, runnable := range []manager.Runnable{permissions, definitions} {
		if err := mgr.Add(runnable); err != nil {
			return fmt.Errorf("add to the manager: %w", err)
		}
	}
	projector := &plugindirectory.Reconciler{Client: mgr.GetClient(), Directory: files, Namespace: o.Namespace}
	if err := projector.SetupWithManager(mgr, changes.Subscribe()); err != nil {
		return fmt.Errorf("set up the plugin directory controller: %w", err)
	}
	return nil
}
