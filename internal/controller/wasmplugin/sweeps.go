// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
)

// sweeps enqueues the plugins whose finalizer could not be removed from objects, when the kinds of these objects
// change.
type sweeps struct {
	client client.Reader

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

// start is a source.Func. It enqueues the plugins that sweeps is for, until the context ends.
func (s *sweeps) start(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-s.woken():
				for _, req := range s.unswept(ctx, s.take()) {
					q.Forget(req) // the backoff starts anew, because something has changed since the last failure
					q.Add(req)
				}
			}
		}
	}()
	return nil
}

// unswept returns the plugins whose finalizer could not be removed from objects of the given groups.
func (s *sweeps) unswept(ctx context.Context, changed changedGroups) []reconcile.Request {
	var list pluginsv1alpha1.WasmPluginList
	if err := s.client.List(ctx, &list); err != nil {
		log.FromContext(ctx).Error(err, "Failed to list WasmPlugins whose kinds have changed")
		return nil
	}
	var out []reconcile.Request
	for i := range list.Items {
		wp := &list.Items[i]
		if meta.IsStatusConditionPresentAndEqual(wp.Status.Conditions, pluginsv1alpha1.ConditionCleanedUp, metav1.ConditionFalse) &&
			slices.ContainsFunc(wp.Status.FinalizedTypes, func(t pluginsv1alpha1.TypeReference) bool { return changed.has(plan.KindOf(t).Group) }) {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(wp)})
		}
	}
	return out
}
