// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// KindsChanged is notified of the groups whose kinds may have changed; no groups means all. It does not block.
func (r *Reconciler) KindsChanged(groups ...string) {
	concerned := func(p plan) bool {
		return len(groups) == 0 || slices.ContainsFunc(p.kinds(), func(gvk schema.GroupVersionKind) bool { return slices.Contains(groups, gvk.Group) })
	}
	r.scheduleChecks(r.serving.names(func(x *revision) bool { return concerned(x.plan) }), concerned)
	r.sweeps.note(groups)
}

// hasNewKinds reports whether the kinds of a plugin are served in another way than at its last reconcile.
func (r *Reconciler) hasNewKinds(ctx context.Context, name types.NamespacedName) (bool, error) {
	var unserved *plugin.LoadError
	if s := r.serving.get(name); s != nil {
		resolved, err := r.resolve(ctx, s.plan)
		switch {
		case errors.As(err, &unserved) && (s.unserved == nil || s.unserved.message != unserved.Error()):
			return true, nil
		case err == nil && (s.unserved != nil || !resolved.equal(s.rights.kinds)):
			return true, nil
		case err != nil && !errors.As(err, &unserved):
			return false, err
		}
	}
	w, ok := r.guard.waits(name)
	if !ok || w.unserved == "" {
		return false, nil
	}
	_, err := r.resolve(ctx, w.rights.plan)
	if err != nil && !errors.As(err, &unserved) {
		return false, err
	}
	return err == nil || unserved.Error() != w.unserved, nil
}

// sweeps enqueues the plugins whose finalizer could not be removed from objects, when the kinds of these objects
// change.
type sweeps struct {
	mu      sync.Mutex
	changed changedGroups
	wake    chan struct{}
}

// changedGroups are groups whose kinds have changed.
type changedGroups struct {
	all   bool
	names map[string]bool
}

// has reports whether the kinds of a group have changed.
func (c changedGroups) has(group string) bool { return c.all || c.names[group] }

// note records groups whose kinds have changed; no groups means all.
func (s *sweeps) note(groups []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed.all = s.changed.all || len(groups) == 0
	if s.changed.names == nil {
		s.changed.names = map[string]bool{}
	}
	for _, group := range groups {
		s.changed.names[group] = true
	}
	select {
	case s.waker() <- struct{}{}:
	default:
	}
}

// waker returns the channel that has a value while groups are recorded. The caller holds the lock.
func (s *sweeps) waker() chan struct{} {
	if s.wake == nil {
		s.wake = make(chan struct{}, 1)
	}
	return s.wake
}

func (s *sweeps) woken() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waker()
}

// take returns the groups that have changed since it was last called.
func (s *sweeps) take() changedGroups {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := s.changed
	s.changed = changedGroups{}
	return changed
}

// startSweeps is a source.Func. It enqueues the plugins that sweeps is for, until the context ends.
func (r *Reconciler) startSweeps(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-r.sweeps.woken():
				for _, req := range r.unswept(ctx, r.sweeps.take()) {
					q.Forget(req) // the backoff starts anew, because something has changed since the last failure
					q.Add(req)
				}
			}
		}
	}()
	return nil
}

// unswept returns the plugins whose finalizer could not be removed from objects of the given groups.
func (r *Reconciler) unswept(ctx context.Context, changed changedGroups) []reconcile.Request {
	var list pluginsv1alpha1.WasmPluginList
	if err := r.Client.List(ctx, &list); err != nil {
		log.FromContext(ctx).Error(err, "Failed to list WasmPlugins whose kinds have changed")
		return nil
	}
	var out []reconcile.Request
	for i := range list.Items {
		wp := &list.Items[i]
		if meta.IsStatusConditionPresentAndEqual(wp.Status.Conditions, pluginsv1alpha1.ConditionCleanedUp, metav1.ConditionFalse) &&
			slices.ContainsFunc(wp.Status.FinalizedTypes, func(t pluginsv1alpha1.TypeReference) bool { return changed.has(kindOf(t).Group) }) {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(wp)})
		}
	}
	return out
}
