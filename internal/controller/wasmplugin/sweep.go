// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access"
	apikinds "github.com/k1s-io/k1s/internal/kinds"
)

// rightsGrace is how long the finalizer of a plugin keeps blocking deletions after the plugin has lost its permissions,
// or its ServiceAccount: a binding that is replaced is missing for a moment, too.
const rightsGrace = 30 * time.Second

// reasonFinalizerRemoved is the reason of the event about objects whose deletion a plugin no longer blocks.
const reasonFinalizerRemoved = "ObjectsReleased"

// removeFinalizers removes the plugin's finalizer from the objects of kinds that it no longer finalizes. Objects that left its
// scope in another way are in its queue, see stepFor. It returns the delay before it has to be called again without
// another cause; 0 means never.
func (r *Reconciler) removeFinalizers(ctx context.Context, l *load) (time.Duration, error) {
	recorded := l.plugin.Status.FinalizedTypes
	if len(recorded) == 0 && !controllerutil.ContainsFinalizer(l.plugin, pluginsv1alpha1.FinalizerCleanup) {
		return 0, nil
	}
	now := r.finalizing(l)
	if !now.known {
		return now.wait, nil
	}
	stale := without(recorded, now.kinds)
	removed, err := r.sweep(ctx, l, stale)
	if err == nil {
		err = r.record(ctx, l, joined(nil, now.kinds))
	}
	if err == nil && l.problem == nil && !l.plan.needsCleanup() {
		err = r.setCleanup(ctx, l, false)
	}
	if err != nil {
		l.cleanupPending = err
		l.conditions.False(pluginsv1alpha1.ConditionCleanedUp, pluginsv1alpha1.ReasonSweepFailed, err.Error())
		return 0, err
	}
	if len(stale) > 0 || meta.FindStatusCondition(l.plugin.Status.Conditions, pluginsv1alpha1.ConditionCleanedUp) != nil {
		l.conditions.True(pluginsv1alpha1.ConditionCleanedUp, pluginsv1alpha1.ReasonSucceeded, "the plugin's finalizer is on no object that it does not belong on")
	}
	if now.lost && removed > 0 {
		r.Events.Eventf(l.plugin, nil, corev1.EventTypeWarning, reasonFinalizerRemoved, actionReconcile, "%s", truncateNote(fmt.Sprintf(
			"the plugin's finalizer was removed from %d objects, as the plugin has lacked permissions for %s: %s", removed, r.Timing.rightsGrace(), l.problem.message)))
	}
	return 0, nil
}

// finalizing is what a plugin finalizes now.
type finalizing struct {
	// known is false while the plugin cannot be loaded or is suspended. Then its finalizer keeps blocking the deletion
	// of objects, because the plugin still has to finalize them.
	known bool
	kinds []schema.GroupVersionKind
	// lost means that the plugin finalizes nothing because it has lacked permissions for too long.
	lost bool
	// wait is the delay before more is known; 0 means that something else causes the next reconcile.
	wait time.Duration
}

func (r *Reconciler) finalizing(l *load) finalizing {
	if current := r.serving.get(l.name); current != nil && (!current.plan.receivesEvents() || r.Watches.Running(l.name, current.plan.watch)) {
		return finalizing{known: true, kinds: current.plan.finalized()}
	}
	if l.problem == nil || !l.problem.isLossOfRights() {
		return finalizing{}
	}
	lost := meta.FindStatusCondition(l.plugin.Status.Conditions, l.problem.condition)
	if lost == nil {
		return finalizing{}
	}
	if wait := r.Timing.rightsGrace() - r.Clock.Since(lost.LastTransitionTime.Time); wait > 0 {
		return finalizing{wait: wait}
	}
	return finalizing{known: true, lost: true}
}

// sweep removes the plugin's finalizer from all objects of the given kinds, with the operator's own permissions.
func (r *Reconciler) sweep(ctx context.Context, l *load, types []pluginsv1alpha1.TypeReference) (removed int, err error) {
	if len(types) == 0 {
		return 0, nil
	}
	finalizer, err := r.Hosts.Finalizer(access.Identity{
		Namespace: l.name.Namespace, Plugin: l.name.Name,
		ServiceAccount: cmp.Or(l.plugin.Spec.ServiceAccountName, defaultServiceAccount),
	})
	if err != nil {
		return 0, err
	}
	var failed []error
	for _, t := range types {
		n, err := r.sweepKind(ctx, finalizer, kindOf(t))
		removed += n
		failed = append(failed, err)
	}
	if removed > 0 {
		log.FromContext(ctx).Info("Took a plugin's finalizer off objects", "objects", removed, "types", types)
	}
	return removed, errors.Join(failed...)
}

// sweepTries is how often a kind is resolved because the API server answers requests for its path with 404.
const sweepTries = 3

// sweepKind removes the plugin's finalizer from all objects of a kind, in whatever version it is served. A 404 for its
// path means that the kind has to be resolved again, and nothing about its objects.
func (r *Reconciler) sweepKind(ctx context.Context, finalizer Finalizer, gvk schema.GroupVersionKind) (removed int, err error) {
	for range sweepTries {
		var mapping *meta.RESTMapping
		if mapping, err = r.servedInAnyVersion(ctx, gvk); mapping == nil || err != nil {
			return removed, err
		}
		var n int
		n, err = finalizer.Sweep(ctx, mapping.Resource)
		removed += n
		if !apikinds.IsPathNotFound(err) {
			return removed, err
		}
		r.Kinds.Invalidate(gvk.Group)
	}
	return removed, err
}

// servedInAnyVersion returns how a kind is served, in its own version if possible. It returns nil for a kind that is
// not installed any more, whose objects were deleted with it. A kind that is defined but not served still has its
// objects.
func (r *Reconciler) servedInAnyVersion(ctx context.Context, gvk schema.GroupVersionKind) (*meta.RESTMapping, error) {
	mapping, err := r.Kinds.Resolve(ctx, gvk)
	var not *apikinds.NotServedError
	switch {
	case !errors.As(err, &not):
		return mapping, err
	case len(not.Served) > 0:
		return not.Served[0], nil
	}
	definition, err := r.Kinds.Definition(ctx, gvk.GroupKind())
	if err != nil {
		return nil, err
	}
	if definition != "" {
		return nil, fmt.Errorf("kind %q of CustomResourceDefinition %q is served in no version, so that the finalizer cannot be removed from its objects: "+
			"serve one of its versions", gvk.Kind, definition)
	}
	return nil, nil //nolint:nilnil // there is none, and that is no error
}
