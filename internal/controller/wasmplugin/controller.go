// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/plugin/settings"
)

// Config is what a Reconciler needs. Everything without a comment is required.
type Config struct {
	Client     client.Client
	Kinds      Kinds
	ConfigMaps ConfigMaps
	Files      Files
	Artifacts  Artifacts
	// APIReader reads from the API server, past the cache.
	APIReader  client.Reader
	Engine     Engine
	Watches    Watches
	Revisions  *Revisions
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

	Ceilings plan.Ceilings
	Timing   Timing
}

// Reconciler loads, replaces and unloads plugins.
type Reconciler struct {
	client     client.Client
	authorizer Authorizer
	timing     Timing
	replica    *replica
	revisions  *Revisions
	status     *status
	events     recorder

	follow follow
	// loadPhases prepare the wanted revision, and serve makes it the serving one.
	evaluate   evaluate
	loadPhases []phase
	serve      []phase
	publish    publish
	unload     unload
	remove     remove

	enqueuer  enqueuer
	readiness readiness
	loads     loads
	checks    checks
	sweeps    sweeps
}

// phase is a part of a load. It returns the problem that ends the load, or nil.
type phase interface {
	run(ctx context.Context, l *load) *problem
}

// phaseFunc is a phase without dependencies.
type phaseFunc func(ctx context.Context, l *load) *problem

func (f phaseFunc) run(ctx context.Context, l *load) *problem { return f(ctx, l) }

// New returns a Reconciler. SetupWithManager starts it.
func New(c Config) *Reconciler {
	r := &Reconciler{
		client: c.Client, authorizer: c.Authorizer, timing: c.Timing.orDefault(), replica: &replica{}, revisions: c.Revisions,
		status: &status{client: c.Client}, events: recorder{events: c.Events, anomalies: c.Anomalies},
	}
	r.loads.slots, r.loads.wake, r.sweeps.client = loadSlots, r.enqueuer.enqueue, c.Client
	perms := permissions{client: c.Client, authorizer: c.Authorizer, kinds: c.Kinds, servesWebhooks: c.Webhooks != nil}
	waits := &waits{}
	authorize := authorize{permissions: perms, waits: waits}
	hooks := webhooks{server: c.Webhooks, kinds: c.Kinds, events: r.events, replica: r.replica}
	sweep := sweep{hosts: c.Hosts, kinds: c.Kinds}

	r.follow = follow{revisions: c.Revisions, permissions: perms}
	r.evaluate = evaluate{revisions: c.Revisions, permissions: perms}
	r.loadPhases = []phase{
		limit{client: c.Client, ceilings: c.Ceilings},
		fetch{
			configMaps: c.ConfigMaps, files: c.Files, clock: c.Revisions.clock,
			oci: fetchOCI{artifacts: c.Artifacts, reader: c.APIReader, secrets: c.Hosts},
		},
		verify{engine: c.Engine, described: c.Described, clock: c.Revisions.clock, replica: r.replica},
		identify{withoutRBAC: c.WithoutRBAC},
		configure{secrets: c.Hosts, permissions: perms, authorize: authorize, checks: &settings.Checker{}},
		authorize,
		phaseFunc(rejectRolledBack),
		compile{engine: c.Engine, guests: guests{hosts: c.Hosts, decorators: c.Decorators, events: r.events}, revisions: c.Revisions, changed: r.enqueuer.enqueue},
	}
	r.serve = []phase{
		claim{status: r.status, replica: r.replica},
		swap{
			revisions: c.Revisions, webhooks: hooks, decorators: c.Decorators,
			dispatchers: dispatchers{objects: c.Watches, authorizer: c.Authorizer, revisions: c.Revisions, decorators: c.Decorators, events: r.events},
		},
	}
	r.publish = publish{
		watches:    watches{manager: c.Watches, permissions: perms, revisions: c.Revisions, replica: r.replica},
		webhooks:   hooks,
		finalizers: finalizers{sweep: sweep, status: r.status, events: r.events, replica: r.replica, clock: c.Revisions.clock, grace: r.timing.PermissionsGrace},
	}
	r.unload = unload{publish: r.publish, revisions: c.Revisions, waits: waits, decorators: c.Decorators, artifacts: c.Artifacts}
	r.remove = remove{unload: r.unload, status: r.status, sweep: sweep, replica: r.replica, decorators: c.Decorators, anomalies: c.Anomalies}
	r.checks = checks{
		permissions: perms, revisions: c.Revisions, waits: waits, enqueue: r.enqueuer.enqueue,
		watching: func(name types.NamespacedName, x *revision) bool { return c.Watches.Running(name, x.plan.Watch) },
		clock:    c.Revisions.clock, every: r.timing.CheckEvery, settle: r.timing.SettleTime,
	}
	return r
}

// +kubebuilder:rbac:groups=plugins.k1s.io,resources=wasmplugins,verbs=list;watch;patch
// +kubebuilder:rbac:groups=plugins.k1s.io,resources=wasmplugins/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=configmaps,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=serviceaccounts,verbs=get;list;watch;impersonate
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
			r.readiness.saw(req.NamespacedName)
		}
	}()
	var wp pluginsv1alpha1.WasmPlugin
	if err := r.client.Get(ctx, req.NamespacedName, &wp); err != nil {
		if client.IgnoreNotFound(err) != nil {
			return ctrl.Result{}, fmt.Errorf("get WasmPlugin: %w", err)
		}
		r.loads.leave(req.NamespacedName)
		return ctrl.Result{}, r.remove.deleted(ctx, req.NamespacedName)
	}
	if r.status.freshness.stale(req.NamespacedName, &wp) {
		return ctrl.Result{RequeueAfter: staleAfter}, nil
	}
	l := newLoad(&wp, r.revisions.get(req.NamespacedName))
	switch {
	case !wp.DeletionTimestamp.IsZero():
		r.loads.leave(l.name)
		result, err = r.remove.terminating(ctx, l)
		l.undecided = l.cleanupPending == nil
	case wp.Spec.Suspend:
		r.loads.leave(l.name)
		err = r.unload.suspend(ctx, l)
	default:
		if waits = !r.load(ctx, l); waits { // the plugin is reconciled again when it gets a slot
			return ctrl.Result{}, nil
		}
		result, err = r.conclude(ctx, l)
	}
	if l.undecided || !r.replica.leads() {
		return result, err
	}
	if patchErr := r.status.patch(ctx, l); patchErr != nil {
		return result, errors.Join(err, patchErr)
	}
	if err == nil || l.problem != nil || l.cleanupPending != nil {
		r.events.changes(l)
	}
	return result, err
}

// load runs the phases of a load until one of them fails. It returns false if the plugin waits for a slot.
func (r *Reconciler) load(ctx context.Context, l *load) bool {
	// The serving revision follows changes of its kinds at once, even while the plugin waits for a slot.
	if p := r.follow.run(ctx, l); p != nil {
		l.fail(p)
		r.loads.leave(l.name)
		return true
	}
	if l.kindsChanged {
		r.publish.stop(l)
	}
	return r.loads.do(ctx, l.name, func(loading context.Context) {
		if p := r.runPhases(loading, l); p != nil {
			l.fail(p)
		}
		// The event that canceled the load may have been handled already: this may be the load that it requested. So
		// the plugin is requeued, as it is if the decision is outdated, or if the operator stops.
		l.undecided = loading.Err() != nil || l.problem != nil && l.problem.recovery == retryNow
	})
}

func (r *Reconciler) runPhases(ctx context.Context, l *load) *problem {
	if p := r.evaluate.run(ctx, l); p != nil {
		return p
	}
	if l.rollback == nil {
		for _, phase := range r.loadPhases {
			if p := phase.run(ctx, l); p != nil || l.isStandby {
				return p
			}
		}
	}
	for _, phase := range r.serve {
		if p := phase.run(ctx, l); p != nil {
			return p
		}
	}
	return nil
}

// conclude publishes and reports the result of a load, and returns when the plugin is reconciled again without an event.
func (r *Reconciler) conclude(ctx context.Context, l *load) (ctrl.Result, error) {
	l.undecided = l.undecided || ctx.Err() != nil
	switch {
	case l.undecided:
		return ctrl.Result{RequeueAfter: staleAfter}, ctx.Err()
	case l.isStandby:
		l.undecided = true
		return ctrl.Result{}, r.unload.run(ctx, l.name)
	}
	if l.problem != nil {
		r.follow.failed(l)
	}
	wait, err := r.publish.run(ctx, l)
	summarize(l)
	if l.problem != nil && (l.problem.recovery == retry || err != nil) {
		err = errors.Join(l.problem, err)
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: shortest(wait, shortest(l.fetchAgain, r.recheckAfter(l)))}, nil
}

// recheckAfter returns the delay before the plugin is reconciled again without an event; 0 means never.
func (r *Reconciler) recheckAfter(l *load) (after time.Duration) {
	secrets := refersToSecret(l.plugin.Spec)
	switch {
	case l.rollback != nil:
		return staleAfter // the spec or the module may have changed meanwhile
	case l.problem == nil && r.authorizer.Watched():
		after = recheckRarely
	case l.problem == nil:
		after = recheck
	case l.problem.recovery == wait && l.problem.reason == pluginsv1alpha1.ReasonAccountForbidden && r.authorizer.Watched() && !secrets:
		// No event reports that its ServiceAccount can read a Secret now: that is not a permission on a kind that the
		// plugin is for.
		return pollPermissions
	case l.problem.recovery == wait:
		return r.timing.PollAfter
	}
	if secrets {
		after = shortest(after, pollSecrets)
	}
	return after
}

// shortest returns the shorter one of two delays; 0 means none.
func shortest(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// PermissionsChanged is notified of changes of RBAC. It does not block.
func (r *Reconciler) PermissionsChanged(changes []rbac.Change) { r.checks.permissionsChanged(changes) }

// KindsChanged is notified of the groups whose kinds may have changed; no groups means all. It does not block.
func (r *Reconciler) KindsChanged(groups ...string) {
	r.checks.kindsChanged(groups)
	r.sweeps.note(groups)
}

// ArtifactChanged is notified of a plugin whose artifact has changed, or whose pull has ended.
func (r *Reconciler) ArtifactChanged(name types.NamespacedName) { r.enqueuer.enqueue(name) }
