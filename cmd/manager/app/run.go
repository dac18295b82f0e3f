// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/admission"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/plugin/decorate"
	"github.com/k1s-io/k1s/internal/plugin/metrics"
	"github.com/k1s-io/k1s/internal/plugin/tracing"
	"github.com/k1s-io/k1s/internal/wasm"
)

const (
	// leaseName is the name of the leader's Lease.
	leaseName = "k1s.plugins.k1s.io"
	// drainTimeout is the maximum time for the calls of a replaced revision to finish. It is longer than nearly every
	// spec.runtime.timeoutSeconds.
	drainTimeout = 30 * time.Second
)

// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=create,namespace=k1s-system
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,resourceNames=k1s.plugins.k1s.io,verbs=get;update,namespace=k1s-system
// +kubebuilder:rbac:groups="",resources=events,verbs=create;patch,namespace=k1s-system
// +kubebuilder:rbac:groups=authentication.k8s.io,resources=tokenreviews,verbs=create

// Run runs the operator until the context ends.
func Run(ctx context.Context, cluster *rest.Config, o Options, log logr.Logger) (err error) {
	if err := o.validate(); err != nil {
		return err
	}
	mgr, err := newManager(cluster, o, log)
	if err != nil {
		return err
	}
	measured, err := metrics.New(o.Registerer)
	if err != nil {
		return err
	}
	tracer, flush, err := tracing.Setup(ctx, os.Getenv, log.WithName("tracing"))
	if err != nil {
		return fmt.Errorf("set up tracing: %w", err)
	}
	audit, closeAudit, err := auditLog(o.AuditLog, log.WithName("audit"), measured)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAudit()) }() // after the last call of a guest has ended
	engine, err := wasm.New(ctx, wasm.Options{
		CacheDir: o.CacheDir, MaxCacheBytes: o.MaxCacheBytes, Log: log.WithName("guest"), Metrics: measured,
		Compiler: o.Compiler, MaxCompileTime: o.Limits.CompileTime, MaxCompileMemory: o.Limits.CompileMemory.Value(), ParallelCompiles: o.ParallelCompiles,
		InitializeTimeout: o.Limits.InitializeTimeout, MaxMemory: uint64(o.Limits.PluginMemory.Value()),
		MaxNamespaceMemory: uint64(o.Limits.NamespaceMemory.Value()),
	})
	if err != nil {
		return fmt.Errorf("start the engine: %w", err)
	}
	slots := plugin.NewRegistry(drainTimeout)
	defer func() {
		closing := context.WithoutCancel(ctx)
		err = errors.Join(err, slots.Close(closing), engine.Close(closing))
		if flushErr := flush(closing); flushErr != nil { // failing to export spans is not an error of the operator
			log.Error(flushErr, "Some spans are lost")
		}
	}()
	denied, err := egress(o, os.Getenv, net.InterfaceAddrs)
	if err != nil {
		return err
	}
	pulled, removePulled, err := artifacts(o, denied, measured, engine.CacheDir())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, removePulled()) }()
	p := plugins{egress: denied, artifacts: pulled, engine: engine, slots: slots, described: plugin.NewDescribed(), decorators: decorate.NewStack(measured, tracer), audit: audit, measured: measured}
	if err := setUp(ctx, mgr, o, p); err != nil {
		return err
	}
	if err := mgr.Start(ctx); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	return nil
}

// NewScheme returns the scheme with the kinds that the operator reads and writes with typed clients.
func NewScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, inventoryv1alpha1.AddToScheme, pluginsv1alpha1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("register types: %w", err)
		}
	}
	return scheme, nil
}

// cacheOptions restricts the caches to what the operator reads, to save memory.
func cacheOptions() cache.Options {
	o := cache.Options{DefaultTransform: cache.TransformStripManagedFields(), ByObject: map[client.Object]cache.ByObject{}}
	for _, kind := range admission.Kinds() { // webhook configurations of others are not relevant
		o.ByObject[kind] = cache.ByObject{Label: admission.Selector()}
	}
	return o
}

func newManager(cluster *rest.Config, o Options, log logr.Logger) (manager.Manager, error) {
	scheme, err := NewScheme()
	if err != nil {
		return nil, err
	}
	serving := metricsserver.Options{BindAddress: o.MetricsAddress, SecureServing: o.SecureMetrics}
	if o.SecureMetrics {
		serving.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	mgr, err := ctrl.NewManager(cluster, ctrl.Options{
		Scheme:                        scheme,
		Logger:                        log,
		Metrics:                       serving,
		HealthProbeBindAddress:        o.ProbeAddress,
		LeaderElection:                o.LeaderElection,
		LeaderElectionID:              leaseName,
		LeaderElectionNamespace:       o.Namespace,
		LeaderElectionReleaseOnCancel: true, // nothing is done after the manager has stopped
		Cache:                         cacheOptions(),
		Controller:                    config.Controller{SkipNameValidation: &o.SkipNameValidation},
	})
	if err != nil {
		return nil, fmt.Errorf("make the manager: %w", err)
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return nil, fmt.Errorf("add a health check: %w", err)
	}
	return mgr, nil
}
