// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/watch"
)

// reasonFinalizeFailed is the reason of the events about objects that a plugin is not done with because of an error.
const reasonFinalizeFailed = "FinalizeFailed"

// Finalizer is a plugin's finalizer on objects.
type Finalizer interface {
	// On reports whether an object carries it.
	On(o metav1.Object) bool
	// Put puts it on an object, as the plugin.
	Put(ctx context.Context, resource schema.GroupVersionResource, o metav1.Object) error
	// Remove takes it off an object that the plugin is done with.
	Remove(ctx context.Context, resource schema.GroupVersionResource, o metav1.Object) error
	// Release takes it off an object that is none of the plugin's business, as the operator.
	Release(ctx context.Context, resource schema.GroupVersionResource, o metav1.Object) error
	// Sweep takes it off all objects, as the operator, and says off how many.
	Sweep(ctx context.Context, resource schema.GroupVersionResource) (removed int, err error)
}

// step is what an object's finalizer asks for.
type step int

const (
	// stepReconcile goes on to the plugin's reconcile.
	stepReconcile step = iota
	// stepNothing is for objects that the plugin is not to hear of.
	stepNothing
	// stepHold puts the finalizer on.
	stepHold
	// stepFinalize calls the plugin's finalize.
	stepFinalize
	// stepRelease takes the finalizer off without asking the plugin.
	stepRelease
)

// stepFor decides what comes next for an object, which is nil if it is gone. An object that has left the
// plugin's scope is released, as nothing would tell the plugin of its deletion.
func (r *rights) stepFor(req watch.Request, o *unstructured.Unstructured) step {
	selected := o != nil && r.plan.watch.Selects(req.GVK, o)
	switch {
	case r.finalizer != nil && o != nil && !selected && r.finalizer.On(o):
		return stepRelease
	case !r.plan.watch.InScope(req.Namespace):
		return stepNothing
	case r.finalizer != nil && selected && o.GetDeletionTimestamp() == nil && !r.finalizer.On(o):
		return stepHold
	case r.finalizer != nil && selected && o.GetDeletionTimestamp() != nil && r.finalizer.On(o):
		return stepFinalize
	case !r.plan.has(plugin.CapabilityReconcile):
		return stepNothing
	default:
		return stepReconcile
	}
}

// hold puts the finalizer on an object before the plugin hears of it for the first time. The event of that
// brings the object back.
func (d *dispatcher) hold(ctx context.Context, r *rights, req watch.Request, o metav1.Object) (reconcile.Result, error) {
	if err := r.finalizer.Put(ctx, r.kinds[req.GVK].Resource, o); err != nil {
		err = fmt.Errorf("put the finalizer on: %w", err)
		return reconcile.Result{}, d.failed(ctx, req, reasonFinalizeFailed, err)
	}
	return reconcile.Result{}, nil
}

// release takes the finalizer off an object outside the plugin's scope.
func (d *dispatcher) release(ctx context.Context, r *rights, req watch.Request, o metav1.Object) error {
	mapping := r.kinds[req.GVK]
	if mapping == nil {
		return nil // the kind of a revision that has just left, which is swept
	}
	if err := r.finalizer.Release(ctx, mapping.Resource, o); err != nil {
		return fmt.Errorf("take the finalizer off: %w", err)
	}
	return nil
}

// finalize calls the plugin for an object that is being deleted, until it is done with it. No error is the
// last word, whatever its reason: the object would be kept for ever.
func (d *dispatcher) finalize(ctx context.Context, r *rights, req abi.ReconcileRequest, about watch.Request, o metav1.Object) (reconcile.Result, error) {
	result, err := plugin.Finalize(ctx, d.runner, req)
	if wait := plugin.RetryAfter(err); wait > 0 {
		return reconcile.Result{RequeueAfter: scattered(wait)}, nil
	}
	if err != nil {
		return reconcile.Result{}, d.failed(ctx, about, reasonFinalizeFailed, err)
	}
	if result.RequeueAfterMillis > 0 {
		return reconcile.Result{RequeueAfter: time.Duration(result.RequeueAfterMillis) * time.Millisecond}, nil
	}
	if err := r.finalizer.Remove(ctx, r.kinds[about.GVK].Resource, o); err != nil {
		err = fmt.Errorf("take the finalizer off: %w", err)
		return reconcile.Result{}, d.failed(ctx, about, reasonFinalizeFailed, err)
	}
	return reconcile.Result{}, nil
}
