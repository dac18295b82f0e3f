// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/conditions"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/watch"
)

// fieldManager is the field manager that owns the status of WasmPlugins.
const fieldManager = "k1s"

// Engine compiles and runs modules.
type Engine interface {
	Describe(ctx context.Context, module plugin.Module, limits plugin.Limits) (plugin.Metadata, error)
	Load(ctx context.Context, req plugin.LoadRequest) (plugin.Runner, plugin.LoadInfo, error)
}

// Watches starts and stops the controllers of plugins.
type Watches interface {
	Ensure(ctx context.Context, name types.NamespacedName, spec watch.Spec, r watch.Reconciler) error
	Running(name types.NamespacedName, spec watch.Spec) bool
	Resync(ctx context.Context, name types.NamespacedName) error
	Stop(name types.NamespacedName)
	ObjectReader
}

// Authorizer decides what an identity, or the operator itself, is allowed to do.
type Authorizer interface {
	Authorize(ctx context.Context, id access.Identity, action access.Action) (access.Decision, error)
	Refresh(ctx context.Context, id access.Identity, action access.Action) (access.Decision, error)
	Self(ctx context.Context, action access.Action) (access.Decision, error)
	Drop(changes ...access.Change)
	// Watched reports whether changes of RBAC are watched.
	Watched() bool
}

// Hosts creates the clients with which a guest, or the operator on its behalf, reaches the cluster, and reads Secrets
// as the plugin.
type Hosts interface {
	New(o access.Options) (*access.RestrictedClient, error)
	Secret(ctx context.Context, id access.Identity, name string) (map[string][]byte, error)
	// Finalizer returns a plugin's Finalizer, which adds the plugin's finalizer to objects and removes it.
	Finalizer(id access.Identity) (*access.Finalizer, error)
}

// ConfigMaps reads modules from ConfigMaps.
type ConfigMaps interface {
	Fetch(ctx context.Context, namespace string, ref pluginsv1alpha1.ConfigMapSource) (plugin.Module, error)
}

// Files reads modules from the plugin directory.
type Files interface {
	Fetch(ctx context.Context, path string) (plugin.Module, error)
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

// Reconciler loads, swaps and unloads plugins.
type Reconciler struct {
	Client     client.Client
	Kinds      Kinds
	ConfigMaps ConfigMaps
	Files      Files
	Engine     Engine
	Watches    Watches
	Slots      *plugin.Registry
	Authorizer Authorizer
	Hosts      Hosts
	Anomalies  Anomalies
	// Described caches the metadata of the modules that were described; it may be nil.
	Described  *plugin.Described
	Decorators Decorators
	// WithoutRBAC is nil if every plugin acts as its ServiceAccount.
	WithoutRBAC *WithoutRBAC
	// Webhooks is nil if the operator serves no webhooks.
	Webhooks Webhooks
	Events   events.EventRecorder
	Clock    clock.PassiveClock

	Ceilings Ceilings
	Timing   Timing

	// leads is true while this replica is the leader.
	leads     atomic.Bool
	rounds    rounds
	serving   memory
	attention attention
	guard     guard
	freshness freshness
	sweeps    sweeps
	loads     loads

	settingsChecks plugin.SettingsChecks
}

// +kubebuilder:rbac:groups=plugins.k1s.io,resources=wasmplugins,verbs=list;watch;patch
// +kubebuilder:rbac:groups=plugins.k1s.io,resources=wasmplugins/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=configmaps,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=serviceaccounts,verbs=list;watch;impersonate
// +kubebuilder:rbac:groups=authentication.k8s.io,resources=userextras/plugins.k1s.io/own-write,verbs=impersonate
// +kubebuilder:rbac:groups=rbac.authorization.k8s.io,resources=roles;rolebindings;clusterroles;clusterrolebindings,verbs=list;watch
// +kubebuilder:rbac:groups=apiextensions.k8s.io,resources=customresourcedefinitions,verbs=list;watch
// +kubebuilder:rbac:groups=apiregistration.k8s.io,resources=apiservices,verbs=list;watch
// +kubebuilder:rbac:groups=authorization.k8s.io,resources=subjectaccessreviews;selfsubjectaccessreviews,verbs=create
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile loads, replaces or unloads one WasmPlugin, as its spec says.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (result ctrl.Result, err error) {
	waits := false // for a slot in which the plugin is loaded
	defer func() {
		if !waits {
			r.rounds.saw(req.NamespacedName)
		}
	}()
	var wp pluginsv1alpha1.WasmPlugin
	if err := r.Client.Get(ctx, req.NamespacedName, &wp); err != nil {
		if client.IgnoreNotFound(err) != nil {
			return ctrl.Result{}, fmt.Errorf("get WasmPlugin: %w", err)
		}
		r.loads.leave(req.NamespacedName)
		return ctrl.Result{}, r.remove(ctx, req.NamespacedName)
	}
	if r.freshness.stale(req.NamespacedName, &wp) {
		return ctrl.Result{RequeueAfter: staleAfter}, nil
	}
	l := &load{
		plugin: &wp, before: wp.DeepCopy(), name: req.NamespacedName, conditions: conditions.For(&wp.Status.Conditions, wp.Generation),
	}
	if !wp.DeletionTimestamp.IsZero() {
		r.loads.leave(l.name)
		return r.terminate(ctx, l)
	}
	defer func() {
		if l.undecided || !r.leads.Load() {
			return
		}
		wp.Status.ObservedGeneration = wp.Generation
		before := l.before
		patchErr := conditions.Patch(ctx, r.Client, before, &wp, fieldManager)
		if patchErr != nil && err == nil {
			err = patchErr
		}
		if patchErr == nil {
			r.freshness.wrote(req.NamespacedName, &wp)
		}
		if err == nil || l.problem != nil || l.cleanupPending != nil {
			r.recordEvent(before, &wp)
		}
	}()

	if wp.Spec.Suspend {
		r.loads.leave(l.name)
		return ctrl.Result{}, r.suspend(ctx, l)
	}
	canceled := false
	// The serving revision follows changes of its kinds at once, even while the plugin waits for a slot.
	if l.problem = r.follow(ctx, l); l.problem == nil {
		waits = !r.loads.do(ctx, l.name, func(loading context.Context) {
			l.problem = r.runPhases(loading, l)
			canceled = loading.Err() != nil && ctx.Err() == nil
		})
	} else {
		r.loads.leave(l.name)
	}
	if waits { // the plugin is reconciled again when it gets a slot
		l.undecided = true
		return ctrl.Result{}, nil
	}
	if canceled {
		// The event that canceled the load may have been handled already: this may be the load that it requested. So
		// the plugin is requeued.
		l.undecided = true
		return ctrl.Result{RequeueAfter: staleAfter}, nil
	}
	if l.undecided = ctx.Err() != nil || l.problem != nil && l.problem.recovery == retryNow; l.undecided {
		return ctrl.Result{RequeueAfter: staleAfter}, ctx.Err() // the operator stops, or the decision is outdated: not the plugin's fault
	}
	switch {
	case l.problem != nil:
		result, err = r.fail(ctx, l)
	case l.isStandby:
		l.undecided = true
		return ctrl.Result{}, r.unload(ctx, l.name)
	default:
		r.succeed(l)
		result = l.pollsSecrets(ctrl.Result{RequeueAfter: r.recheckAfter()})
	}
	if !r.leads.Load() {
		return result, err
	}
	wait, cleanupPending := r.removeFinalizers(ctx, l)
	if wait > 0 && (result.RequeueAfter == 0 || wait < result.RequeueAfter) {
		result.RequeueAfter = wait
	}
	return result, errors.Join(err, cleanupPending)
}

// runPhases runs the phases of a load until one of them fails.
func (r *Reconciler) runPhases(ctx context.Context, l *load) *problem {
	for _, phase := range []func(context.Context, *load) *problem{
		r.evaluate,
		r.limit,
		r.fetch,
		r.verify,
		r.identify,
		r.configure,
		r.authorize,
		r.reject,
		r.compile,
		r.claim,
		r.swap,
		r.ensureWebhooks,
	} {
		if l.isStandby {
			break
		}
		if p := phase(ctx, l); p != nil {
			return p
		}
	}
	return nil
}
