// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
	apikinds "github.com/k1s-io/k1s/internal/kinds"
)

// permissionsGrace is how long the finalizer of a plugin keeps blocking deletions after the plugin has lost its permissions,
// or its ServiceAccount: a binding that is replaced is missing for a moment, too.
const permissionsGrace = 30 * time.Second

// finalizers removes the finalizers of plugins from objects that the plugins no longer finalize.
type finalizers struct {
	sweep   sweep
	status  *status
	events  recorder
	replica *replica
	clock   clock.PassiveClock
	// grace is permissionsGrace, or shorter in a test.
	grace time.Duration
}

// sweep removes the finalizer of a plugin from all objects of a kind.
type sweep struct {
	hosts Hosts
	kinds Kinds
}

// publish removes the plugin's finalizer from the objects of kinds that it no longer finalizes. Objects that left its
// scope in another way are in its queue, see stepFor. It returns the delay before it has to be called again without
// another cause; 0 means never.
func (f finalizers) publish(ctx context.Context, l *load) (time.Duration, error) {
	recorded := l.plugin.Status.FinalizedTypes
	if !f.replica.leads() || len(recorded) == 0 && !controllerutil.ContainsFinalizer(l.plugin, pluginsv1alpha1.FinalizerCleanup) {
		return 0, nil
	}
	now := f.finalizing(l)
	if !now.known {
		return now.wait, nil
	}
	stale := plan.Without(recorded, now.kinds)
	removed, err := f.sweep.run(ctx, l, stale)
	if err == nil {
		err = f.status.setFinalizedTypes(ctx, l, plan.With(nil, now.kinds))
	}
	if err == nil && l.problem == nil && !l.plan.NeedsCleanup() {
		err = f.status.setCleanup(ctx, l, false)
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
		f.events.finalizersRemoved(l, removed, f.grace)
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

func (f finalizers) finalizing(l *load) finalizing {
	if l.watching {
		return finalizing{known: true, kinds: l.current.plan.Finalized()}
	}
	if l.problem == nil || !l.problem.isLossOfPermissions() {
		return finalizing{}
	}
	lost := meta.FindStatusCondition(l.plugin.Status.Conditions, l.problem.condition)
	if lost == nil {
		return finalizing{}
	}
	if wait := f.grace - f.clock.Since(lost.LastTransitionTime.Time); wait > 0 {
		return finalizing{wait: wait}
	}
	return finalizing{known: true, lost: true}
}

// run removes the plugin's finalizer from all objects of the given kinds, with the operator's own permissions.
func (s sweep) run(ctx context.Context, l *load, types []pluginsv1alpha1.TypeReference) (removed int, err error) {
	if len(types) == 0 {
		return 0, nil
	}
	finalizer, err := s.hosts.Finalizer(plan.IdentityOf(l.plugin))
	if err != nil {
		return 0, err
	}
	var failed []error
	for _, t := range types {
		n, err := s.kind(ctx, finalizer, plan.KindOf(t))
		removed += n
		failed = append(failed, err)
	}
	if removed > 0 {
		log.FromContext(ctx).Info("Removed a plugin's finalizer from objects", "objects", removed, "types", types)
	}
	return removed, errors.Join(failed...)
}

// sweepTries is how often a kind is resolved because the API server answers requests for its path with 404.
const sweepTries = 3

// kind removes the plugin's finalizer from all objects of a kind, in whatever version it is served. A 404 for its
// path means that the kind has to be resolved again, and nothing about its objects.
func (s sweep) kind(ctx context.Context, finalizer Finalizer, gvk schema.GroupVersionKind) (removed int, err error) {
	for range sweepTries {
		var mapping *meta.RESTMapping
		if mapping, err = s.servedInAnyVersion(ctx, gvk); mapping == nil || err != nil {
			return removed, err
		}
		var n int
		n, err = finalizer.Sweep(ctx, mapping.Resource)
		removed += n
		if !apikinds.IsPathNotFound(err) {
			return removed, err
		}
		s.kinds.Invalidate(gvk.Group)
	}
	return removed, err
}

// servedInAnyVersion returns how a kind is served, in its own version if possible. It returns nil for a kind that is
// not installed any more, whose objects were deleted with it. A kind that is defined but not served still has its
// objects.
func (s sweep) servedInAnyVersion(ctx context.Context, gvk schema.GroupVersionKind) (*meta.RESTMapping, error) {
	mapping, err := s.kinds.Resolve(ctx, gvk)
	var not *apikinds.NotServedError
	switch {
	case !errors.As(err, &not):
		return mapping, err
	case len(not.Served) > 0:
		return not.Served[0], nil
	}
	definition, err := s.kinds.Definition(ctx, gvk.GroupKind())
	if err != nil {
		return nil, err
	}
	if definition != "" {
		return nil, fmt.Errorf("kind %q of CustomResourceDefinition %q is served in no version, so that the finalizer cannot be removed from its objects: "+
			"serve one of its versions", gvk.Kind, definition)
	}
	return nil, nil //nolint:nilnil // there is none, and that is no error
}
