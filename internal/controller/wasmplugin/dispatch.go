// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/watch"
)

// reasonReconcileFailed is the reason of the events about failed calls.
const reasonReconcileFailed = "ReconcileFailed"

// ObjectReader reads objects from the shared cache.
type ObjectReader interface {
	// Get returns an object's JSON, or a NotFound error.
	Get(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) ([]byte, error)
}

// dispatcher hands the requests of one plugin's controller to the revision that serves.
type dispatcher struct {
	runner     plugin.Runner
	objects    ObjectReader
	authorizer Authorizer
	tell       func(note string)
	// rights are those of the revision that serves.
	rights atomic.Pointer[rights]
}

func newDispatcher(r *Reconciler, l *load, slot *plugin.Slot) *dispatcher {
	regarding := referenceTo(l.plugin)
	return &dispatcher{
		runner: slot, objects: r.Watches, authorizer: r.Authorizer,
		tell: func(note string) {
			r.Events.Eventf(regarding, nil, corev1.EventTypeWarning, reasonReconcileFailed, actionReconcile, "%s", truncateNote(note))
		},
	}
}

// Reconcile implements watch.Reconciler.
func (d *dispatcher) Reconcile(ctx context.Context, req watch.Request, attempt int) (reconcile.Result, error) {
	allowed, err := d.allowed(ctx, req)
	if err != nil {
		return reconcile.Result{}, err
	}
	if !allowed {
		// The load notices too, and says so in the plugin's status; until then nothing is told.
		return reconcile.Result{RequeueAfter: pollAfter}, nil
	}
	object, err := d.objects.Get(ctx, req.GVK, req.Namespace, req.Name)
	if err != nil && !apierrors.IsNotFound(err) {
		return reconcile.Result{}, fmt.Errorf("read %s from the cache: %w", req.GVK.Kind, err)
	}
	apiVersion, kind := req.GVK.ToAPIVersionAndKind()
	result, err := plugin.Reconcile(ctx, d.runner, abi.ReconcileRequest{
		ObjectKey: abi.ObjectKey{APIVersion: apiVersion, Kind: kind, Namespace: req.Namespace, Name: req.Name},
		Object:    object,
		Attempt:   attempt,
	})
	if wait := plugin.RetryAfter(err); wait > 0 {
		// The event of the breaker has told of it. All objects come back at about the same time, in an
		// order of chance, so that it is not always the same one that the guest is tried with.
		return reconcile.Result{RequeueAfter: wait + rand.N(wait/4+1)}, nil
	}
	if err != nil {
		return reconcile.Result{}, d.failed(ctx, req, err)
	}
	return reconcile.Result{RequeueAfter: time.Duration(result.RequeueAfterMillis) * time.Millisecond}, nil
}

// allowed asks again whether the plugin may watch the object: rights can go while events are queued.
func (d *dispatcher) allowed(ctx context.Context, req watch.Request) (bool, error) {
	r := d.rights.Load()
	mapping := r.kinds[req.GVK]
	if mapping == nil {
		return false, nil // the kind of a revision that has just left
	}
	namespace := req.Namespace
	if r.plan.allowlist.Everywhere() {
		namespace = ""
	}
	decision, err := d.authorizer.Authorize(ctx, r.plan.identity, action(mapping, "watch", namespace))
	return decision.Allowed, err
}

// failed says how the queue goes on after a failed call.
func (d *dispatcher) failed(ctx context.Context, req watch.Request, err error) error {
	switch {
	case errors.Is(err, plugin.ErrNoRevision):
		return nil // the plugin is being unloaded or suspended; its next revision gets every object
	case plugin.KindOf(err) == plugin.KindClosed, ctx.Err() != nil:
		return err // cut off by a swap or the operator's end: no fault of the plugin's
	}
	d.tell(fmt.Sprintf("%s %s: %v", req.GVK.Kind, req.NamespacedName, err))
	if plugin.IsInvalid(err) {
		log.FromContext(ctx).Info("Plugin refused an object", "error", err.Error())
		return reconcile.TerminalError(err)
	}
	return err
}
