// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/conditions"
)

// terminate unloads a plugin that is being deleted: first it stops the events, then it removes the finalizer from
// objects without calling the plugin's finalize. It needs neither the plugin's module nor its ServiceAccount or
// permissions.
func (r *Reconciler) terminate(ctx context.Context, l *load) (ctrl.Result, error) {
	if !r.leads.Load() || !controllerutil.ContainsFinalizer(l.plugin, pluginsv1alpha1.FinalizerCleanup) {
		return ctrl.Result{}, r.remove(ctx, l.name)
	}
	err := r.unload(ctx, l.name)
	if err == nil {
		_, err = r.sweep(ctx, l, l.plugin.Status.FinalizedTypes)
	}
	if err == nil {
		// The API server answers with a Conflict if there are recorded kinds that are not in the operator's copy yet.
		err = client.IgnoreNotFound(r.setCleanup(ctx, l, false))
	}
	switch {
	case err == nil:
		return ctrl.Result{}, r.remove(ctx, l.name)
	case apierrors.IsConflict(err):
		return ctrl.Result{RequeueAfter: staleAfter}, nil
	}
	return ctrl.Result{}, r.terminates(ctx, l, err)
}

// terminates reports in the status why a plugin still exists, and returns that error.
func (r *Reconciler) terminates(ctx context.Context, l *load, why error) error {
	message := "the plugin is being deleted, and its finalizer or its webhook configurations could not be removed; the operator retries: " + why.Error()
	l.retireRevision()
	l.conditions.False(pluginsv1alpha1.ConditionCleanedUp, pluginsv1alpha1.ReasonSweepFailed, why.Error())
	for _, c := range []string{pluginsv1alpha1.ConditionServing, pluginsv1alpha1.ConditionDegraded} {
		l.conditions.False(c, pluginsv1alpha1.ReasonTerminating, "the plugin is being deleted")
	}
	l.conditions.False(pluginsv1alpha1.ConditionReady, pluginsv1alpha1.ReasonTerminating, message)
	l.plugin.Status.ObservedGeneration = l.plugin.Generation
	if err := conditions.Patch(ctx, r.Client, l.before, l.plugin, fieldManager); err != nil {
		return err
	}
	r.freshness.wrote(l.name, l.plugin)
	r.recordEvent(l.before, l.plugin)
	return why
}
