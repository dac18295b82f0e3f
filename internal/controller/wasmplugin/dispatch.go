// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/watch"
)

// ObjectReader reads objects from the shared cache.
type ObjectReader interface {
	// Object returns an object, which must not be changed, or a NotFound error.
	Object(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, error)
}

// dispatcher passes the requests of one plugin's controller to the serving revision.
type dispatcher struct {
	runner     plugin.Runner
	objects    ObjectReader
	authorizer Authorizer
	notify     func(reason, note string)
	// scope is that of the serving revision.
	scope atomic.Pointer[scope]

	// writes are the plugin's own. selfTriggered counts the turns that are delayed because of them.
	writes        *access.OwnWrites
	selfTriggers  selfTriggers
	selfTriggered func()
	unselected    unselected
}

// dispatchers creates the dispatchers of plugins.
type dispatchers struct {
	objects    ObjectReader
	authorizer Authorizer
	revisions  *Revisions
	decorators Decorators
	events     recorder
}

func (f dispatchers) new(wp *pluginsv1alpha1.WasmPlugin, slot *plugin.Slot) *dispatcher {
	name := types.NamespacedName{Namespace: wp.Namespace, Name: wp.Name}
	return &dispatcher{
		runner: slot, objects: f.objects, authorizer: f.authorizer,
		writes: f.revisions.writesOf(name), selfTriggers: selfTriggers{clock: f.revisions.clock},
		selfTriggered: func() { f.decorators.SelfTriggered(name.String()) },
		notify:        f.events.objects(wp),
	}
}

// Reconcile implements watch.Reconciler.
func (d *dispatcher) Reconcile(ctx context.Context, req watch.Request, turn watch.Turn) (reconcile.Result, error) {
	if wait := d.delay(req, turn); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	s := d.scope.Load()
	object, err := d.read(ctx, req)
	if err != nil {
		return reconcile.Result{}, err
	}
	next := s.stepFor(req, object)
	if next == stepRemoveFinalizer {
		if err := d.removeFinalizer(ctx, s, req, object); err != nil {
			return reconcile.Result{}, err
		}
		next = stepNothing
		if s.plan.Has(plugin.CapabilityReconcile) && s.plan.Watch.Namespaces.Has(req.Namespace) {
			next = stepReconcile
		}
	}
	// An object that no longer matches the selector counts as deleted, as in a watch with that selector.
	left := object != nil && !s.plan.Watch.Selects(req.GVK, object)
	if next == stepNothing || left && d.unselected.has(req) {
		return reconcile.Result{}, nil
	}
	if left {
		object = nil
	} else {
		d.unselected.remove(req)
	}
	allowed, err := d.allowed(ctx, s, req)
	if err != nil {
		return reconcile.Result{}, err
	}
	if !allowed {
		// A load notices the lost permission too, and reports it in the plugin's status. Until then, the guest receives
		// nothing.
		return reconcile.Result{RequeueAfter: pollAfter}, nil
	}
	if next == stepAddFinalizer {
		return d.addFinalizer(ctx, s, req, object)
	}
	apiVersion, kind := req.GVK.ToAPIVersionAndKind()
	call := abi.ReconcileRequest{
		ObjectKey: abi.ObjectKey{APIVersion: apiVersion, Kind: kind, Namespace: req.Namespace, Name: req.Name},
		Attempt:   turn.Attempt,
	}
	if object != nil {
		if call.Object, err = json.Marshal(object.Object); err != nil {
			return reconcile.Result{}, fmt.Errorf("encode %s: %w", req.GVK.Kind, err)
		}
	}
	if next == stepFinalize {
		return d.finalize(ctx, s, call, req, object)
	}
	result, err := plugin.Reconcile(ctx, d.runner, call)
	if left && (err == nil && result.RequeueAfterMillis == 0 || plugin.IsInvalid(err)) {
		d.unselected.add(req)
	}
	if wait := plugin.RetryAfter(err); wait > 0 {
		return reconcile.Result{RequeueAfter: scattered(wait)}, nil
	}
	if err != nil {
		return reconcile.Result{}, d.unlessInvalid(ctx, d.failed(ctx, req, reasonReconcileFailed, err))
	}
	return reconcile.Result{RequeueAfter: time.Duration(result.RequeueAfterMillis) * time.Millisecond}, nil
}

// delay returns how long to delay a turn that only the plugin's own writes have caused, too many times in a row.
func (d *dispatcher) delay(req watch.Request, turn watch.Turn) time.Duration {
	wait, first := d.selfTriggers.delay(req, turn, func(c watch.Cause) bool { return d.writes.Has(c.UID, c.ResourceVersion) })
	if wait == 0 {
		return 0
	}
	if len(turn.Causes) > 0 {
		d.selfTriggered()
	}
	if first {
		d.notify(reasonSelfTriggered, fmt.Sprintf(
			"%s %s is reconciled only because of the plugin's own writes, more than %d times in a row; the next time is in %s: write only what is different",
			req.GVK.Kind, req.NamespacedName, selfTriggersFree, wait))
	}
	return wait
}

// read returns an object from the cache, or nil if there is none.
func (d *dispatcher) read(ctx context.Context, req watch.Request) (*unstructured.Unstructured, error) {
	object, err := d.objects.Object(ctx, req.GVK, req.Namespace, req.Name)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil //nolint:nilnil // as documented
	case err != nil:
		return nil, fmt.Errorf("read %s from the cache: %w", req.GVK.Kind, err)
	}
	return object, nil
}

// scattered adds jitter to a wait. When a circuit breaker is open, which its own Event reports, all objects are retried
// at about the same time. The jitter makes their order random, so that the first call of the guest is not always for
// the same object.
func scattered(wait time.Duration) time.Duration { return wait + rand.N(wait/4+1) } //nolint:gosec // jitter

// allowed checks again whether the plugin is allowed to watch the object: permissions can be revoked while events are
// queued.
func (d *dispatcher) allowed(ctx context.Context, s *scope, req watch.Request) (bool, error) {
	mapping := s.kinds[req.GVK]
	if mapping == nil {
		return false, nil // a kind of the previous revision only
	}
	namespace := req.Namespace
	if s.plan.Allowlist.Namespaces.All() {
		namespace = ""
	}
	decision, err := d.authorizer.Authorize(ctx, s.plan.Identity, plan.ActionOn(mapping, "watch", namespace))
	return decision.Allowed, err
}

// failed records an Event about a failed call, and returns the error for the queue.
func (d *dispatcher) failed(ctx context.Context, req watch.Request, reason string, err error) error {
	switch {
	case errors.Is(err, plugin.ErrNoRevision):
		return nil // the plugin is being unloaded or suspended; its next revision receives every object
	case plugin.KindOf(err) == plugin.KindClosed, ctx.Err() != nil:
		return err // canceled by a swap or by the operator's shutdown: not the plugin's fault
	}
	d.notify(reason, fmt.Sprintf("%s %s: %v", req.GVK.Kind, req.NamespacedName, err))
	return err
}

// unlessInvalid makes the error terminal if the plugin rejects the object as invalid.
func (d *dispatcher) unlessInvalid(ctx context.Context, err error) error {
	if !plugin.IsInvalid(err) {
		return err
	}
	log.FromContext(ctx).Info("Plugin rejected an object", "error", err.Error())
	return reconcile.TerminalError(err)
}
