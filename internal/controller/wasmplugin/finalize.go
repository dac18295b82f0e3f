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

// Finalizer adds a plugin's finalizer to objects, and removes it.
type Finalizer interface {
	// On reports whether an object has the finalizer.
	On(o metav1.Object) bool
	// Put adds the finalizer to an object, as the plugin.
	Put(ctx context.Context, resource schema.GroupVersionResource, o metav1.Object) error
	// Remove removes the finalizer from an object that the plugin has finalized.
	Remove(ctx context.Context, resource schema.GroupVersionResource, o metav1.Object) error
	// Release removes the finalizer from an object outside the plugin's scope, as the operator.
	Release(ctx context.Context, resource schema.GroupVersionResource, o metav1.Object) error
	// Sweep removes the finalizer from all objects, as the operator, and returns from how many.
	Sweep(ctx context.Context, resource schema.GroupVersionResource) (removed int, err error)
}

// step is what the dispatcher does next with an object, as far as its finalizer determines it.
type step int

const (
	// stepReconcile calls the plugin's reconcile.
	stepReconcile step = iota
	// stepNothing skips an object that the plugin is not to receive.
	stepNothing
	// stepAddFinalizer adds the finalizer.
	stepAddFinalizer
	// stepFinalize calls the plugin's finalize.
	stepFinalize
	// stepRemoveFinalizer removes the finalizer without calling the plugin.
	stepRemoveFinalizer
)

// stepFor returns the next step for an object, which is nil if it does not exist. An object that has left the plugin's
// scope loses the finalizer, because the plugin would not be notified of its deletion.
func (s *scope) stepFor(req watch.Request, o *unstructured.Unstructured) step {
	selected := o != nil && s.plan.Watch.Selects(req.GVK, o)
	switch {
	case s.finalizer != nil && o != nil && !selected && s.finalizer.On(o):
		return stepRemoveFinalizer
	case !s.plan.Watch.Namespaces.Has(req.Namespace):
		return stepNothing
	case s.finalizer != nil && selected && o.GetDeletionTimestamp() == nil && !s.finalizer.On(o):
		return stepAddFinalizer
	case s.finalizer != nil && selected && o.GetDeletionTimestamp() != nil && s.finalizer.On(o):
		return stepFinalize
	case !s.plan.Has(plugin.CapabilityReconcile):
		return stepNothing
	default:
		return stepReconcile
	}
}

// addFinalizer adds the finalizer to an object before the plugin receives it for the first time. The event of that update
// enqueues the object again.
func (d *dispatcher) addFinalizer(ctx context.Context, s *scope, req watch.Request, o metav1.Object) (reconcile.Result, error) {
	if err := s.finalizer.Put(ctx, s.kinds[req.GVK].Resource, o); err != nil {
		err = fmt.Errorf("add the finalizer: %w", err)
		return reconcile.Result{}, d.failed(ctx, req, reasonFinalizeFailed, err)
	}
	return reconcile.Result{}, nil
}

// removeFinalizer removes the finalizer from an object outside the plugin's scope.
func (d *dispatcher) removeFinalizer(ctx context.Context, s *scope, req watch.Request, o metav1.Object) error {
	mapping := s.kinds[req.GVK]
	if mapping == nil {
		return nil // a kind of the previous revision only, which is swept
	}
	if err := s.finalizer.Release(ctx, mapping.Resource, o); err != nil {
		return fmt.Errorf("remove the finalizer: %w", err)
	}
	return nil
}

// finalize calls the plugin for an object that is being deleted, until the plugin has finalized it. Every error is
// retried, whatever its reason: otherwise the finalizer would block the deletion forever.
func (d *dispatcher) finalize(ctx context.Context, s *scope, req abi.ReconcileRequest, about watch.Request, o metav1.Object) (reconcile.Result, error) {
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
	if err := s.finalizer.Remove(ctx, s.kinds[about.GVK].Resource, o); err != nil {
		err = fmt.Errorf("remove the finalizer: %w", err)
		return reconcile.Result{}, d.failed(ctx, about, reasonFinalizeFailed, err)
	}
	return reconcile.Result{}, nil
}
