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
)

// rightsGrace is how long the objects of a plugin that has lost its rights, or its account, go on waiting for it:
// a binding that is replaced is gone for a moment, too.
const rightsGrace = 30 * time.Second

// reasonReleased is the reason of the event about objects that do not wait for a plugin any more.
const reasonReleased = "ObjectsReleased"

// tidy takes the plugin's finalizer off the objects of kinds that it no longer finalizes. Those that left
// its scope in another way are in its queue, see stepFor. It returns how long to wait before it is called again
// without a cause; 0 is for ever.
func (r *Reconciler) tidy(ctx context.Context, l *load) (time.Duration, error) {
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
		l.untidy = err
		l.conditions.False(pluginsv1alpha1.ConditionCleanedUp, pluginsv1alpha1.ReasonSweepFailed, err.Error())
		return 0, err
	}
	if len(stale) > 0 || meta.FindStatusCondition(l.plugin.Status.Conditions, pluginsv1alpha1.ConditionCleanedUp) != nil {
		l.conditions.True(pluginsv1alpha1.ConditionCleanedUp, pluginsv1alpha1.ReasonSucceeded, "the plugin's finalizer is on no object that it does not belong on")
	}
	if now.lost && removed > 0 {
		r.Events.Eventf(l.plugin, nil, corev1.EventTypeWarning, reasonReleased, actionReconcile, "%s", truncateNote(fmt.Sprintf(
			"%d objects do not wait for the plugin any more when they are deleted, as it has had no rights for %s: %s", removed, r.Timing.rightsGrace(), l.problem.message)))
	}
	return 0, nil
}

// finalizing is what a plugin finalizes now.
type finalizing struct {
	// known is false while the plugin cannot be loaded or is suspended: its objects wait for it then, for they
	// were promised to.
	known bool
	kinds []schema.GroupVersionKind
	// lost means that it finalizes nothing because it has had no rights for too long.
	lost bool
	// wait is how long it takes until more is known; 0 means that something else will tell.
	wait time.Duration
}

func (r *Reconciler) finalizing(l *load) finalizing {
	if current := r.serving.get(l.name); current != nil && (!current.plan.toldOfEvents() || r.Watches.Running(l.name, current.plan.watch)) {
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

// sweep takes the plugin's finalizer off all objects of the given kinds, with the operator's own rights.
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
		resource, err := r.resourceOf(t)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		if resource.Empty() {
			continue
		}
		n, err := finalizer.Sweep(ctx, resource)
		removed += n
		failed = append(failed, err)
	}
	if removed > 0 {
		log.FromContext(ctx).Info("Took a plugin's finalizer off objects", "objects", removed, "types", types)
	}
	return removed, errors.Join(failed...)
}

// resourceOf returns the resource of a kind, in any version that there still is; it is empty for a kind that is
// not installed any more, whose objects went with it.
func (r *Reconciler) resourceOf(t pluginsv1alpha1.TypeReference) (schema.GroupVersionResource, error) {
	gvk := kindOf(t)
	mapping, err := r.Mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if meta.IsNoMatchError(err) {
		mapping, err = r.Mapper.RESTMapping(gvk.GroupKind())
	}
	switch {
	case meta.IsNoMatchError(err):
		return schema.GroupVersionResource{}, nil
	case err != nil:
		return schema.GroupVersionResource{}, fmt.Errorf("look kind %q up: %w", gvk.Kind, err)
	}
	return mapping.Resource, nil
}
