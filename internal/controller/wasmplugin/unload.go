// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// unload stops what runs for a plugin.
type unload struct {
	publish    publish
	revisions  *Revisions
	waits      *waits
	decorators Decorators
	artifacts  Artifacts
}

// run stops first the plugin's events, whose reconciles it cancels, then its revision. Admission requests in flight end in
// the background: the API server waits for their answers.
func (u unload) run(ctx context.Context, name types.NamespacedName) error {
	if err := u.publish.remove(ctx, name); err != nil {
		return err
	}
	u.artifacts.Forget(name)
	u.waits.end(name)
	u.decorators.Stops(name.String())
	u.revisions.remove(name)
	return nil
}

// suspend unloads a plugin while spec.suspend is true, and keeps the digest of its last revision in the status.
func (u unload) suspend(ctx context.Context, l *load) error {
	err := u.run(ctx, l.name)
	l.current = nil
	summarizeSuspended(l, err)
	return err
}

// remove unloads a plugin that was deleted, and removes everything that is recorded about it.
type remove struct {
	unload     unload
	status     *status
	sweep      sweep
	replica    *replica
	decorators Decorators
	anomalies  Anomalies
}

// deleted removes a plugin whose WasmPlugin no longer exists.
func (r remove) deleted(ctx context.Context, name types.NamespacedName) error {
	err := r.unload.run(ctx, name)
	r.status.freshness.forget(name)
	r.decorators.Forget(name.String())
	r.anomalies.Forget(name.String())
	return err
}

// terminating unloads a plugin that is being deleted: first it stops the events, then it removes the finalizer from
// objects without calling the plugin's finalize. It needs neither the plugin's module nor its ServiceAccount or
// permissions.
func (r remove) terminating(ctx context.Context, l *load) (ctrl.Result, error) {
	if !r.replica.leads() || !controllerutil.ContainsFinalizer(l.plugin, pluginsv1alpha1.FinalizerCleanup) {
		return ctrl.Result{}, r.deleted(ctx, l.name)
	}
	err := r.unload.run(ctx, l.name)
	if err == nil {
		_, err = r.sweep.run(ctx, l, l.plugin.Status.FinalizedTypes)
	}
	if err == nil {
		// The API server answers with a Conflict if there are recorded kinds that are not in the operator's copy yet.
		err = client.IgnoreNotFound(r.status.setCleanup(ctx, l, false))
	}
	switch {
	case err == nil:
		return ctrl.Result{}, r.deleted(ctx, l.name)
	case apierrors.IsConflict(err):
		return ctrl.Result{RequeueAfter: staleAfter}, nil
	}
	l.cleanupPending = err
	summarizeTerminating(l)
	return ctrl.Result{}, err
}
