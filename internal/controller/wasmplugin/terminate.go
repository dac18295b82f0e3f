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

// terminate ends a plugin that is being deleted: first its events, then what it left on objects, which are free
// without its finalize. Nothing of it needs the plugin's module, account or rights.
func (r *Reconciler) terminate(ctx context.Context, l *load) (ctrl.Result, error) {
	if !r.leads.Load() || !controllerutil.ContainsFinalizer(l.plugin, pluginsv1alpha1.FinalizerCleanup) {
		return ctrl.Result{}, r.remove(ctx, l.name)
	}
	err := r.unload(ctx, l.name)
	if err == nil {
		_, err = r.sweep(ctx, l, l.plugin.Status.FinalizedTypes)
	}
	if err == nil {
		// The API server refuses this if there are kinds that are not known of yet.
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

// terminates says in the status why a plugin is still there, and returns that.
func (r *Reconciler) terminates(ctx context.Context, l *load, why error) error {
	message := "the plugin is being deleted, and what it has left in the cluster is still there; it is tried again: " + why.Error()
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
	r.tell(l.before, l.plugin)
	return why
}
