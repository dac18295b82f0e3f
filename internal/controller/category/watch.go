// SPDX-License-Identifier: Apache-2.0

package category

import (
	"context"

	"github.com/go-logr/logr"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	"github.com/k1s-io/k1s/internal/embedded"
)

// queue is the controller's work queue.
type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// watches returns the watches that enqueue the Categories whose status may be outdated. The events of the initial list
// need not be spread to other Categories: the initial list contains every Category, and no worker starts before the
// cache has all of it, including the Items.
func watches(reader client.Reader, log logr.Logger) []embedded.Watch {
	s := spreader{reader: reader, log: log}
	return []embedded.Watch{
		{
			Object:  &inventoryv1alpha1.Category{},
			Handler: handler.Funcs{CreateFunc: s.created, UpdateFunc: s.updated, DeleteFunc: s.deleted},
		},
		{
			Object: &inventoryv1alpha1.Item{},
			// For an update, this maps the old and the new state: a move changes two counts.
			Handler:    handler.EnqueueRequestsFromMapFunc(named(categoryOf)),
			Predicates: []predicate.Predicate{joinsOrLeaves()},
		},
	}
}

// joinsOrLeaves accepts the events that change which Items belong to a Category.
func joinsOrLeaves() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return !e.IsInInitialList },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return len(changed(categoryOf, e.ObjectOld, e.ObjectNew)) > 0
		},
	}
}

// named maps an object to a request for the Category that it names.
func named(category client.IndexerFunc) handler.MapFunc {
	return func(_ context.Context, object client.Object) []reconcile.Request {
		return requests(object.GetNamespace(), category(object)...)
	}
}

// changed returns the names that an object named before or names now, or nil if they are the same.
func changed(name client.IndexerFunc, before, after client.Object) []string {
	was, is := name(before), name(after)
	if len(was) == len(is) && (len(was) == 0 || was[0] == is[0]) {
		return nil
	}
	return append(was, is...)
}

// spreader maps an event of a Category to requests for all Categories that it concerns: the Category itself, its
// previous and its current parent, which count it, and its descendants, of which it is an ancestor.
//
// A change of a Category's status enqueues the Category itself. Such events are deliberately not filtered out: the
// reconcile undoes what others have written to the status, and corrects a decision that was made before the cache had
// the last write.
type spreader struct {
	reader client.Reader
	log    logr.Logger
}

func (s spreader) created(ctx context.Context, e event.CreateEvent, q queue) {
	s.add(q, e.Object, e.Object.GetName())
	if !e.IsInInitialList {
		s.spread(ctx, q, e.Object, parentIn(e.Object))
	}
}

func (s spreader) updated(ctx context.Context, e event.UpdateEvent, q queue) {
	s.add(q, e.ObjectNew, e.ObjectNew.GetName())
	if parents := changed(parentIn, e.ObjectOld, e.ObjectNew); len(parents) > 0 {
		s.spread(ctx, q, e.ObjectNew, parents)
	}
}

func (s spreader) deleted(ctx context.Context, e event.DeleteEvent, q queue) {
	s.spread(ctx, q, e.Object, parentIn(e.Object))
}

// spread enqueues the parents and the descendants. When the last event of a change in a chain of ancestors arrives, the
// cache already has the rest of the chain, so that all descendants are enqueued.
func (s spreader) spread(ctx context.Context, q queue, category client.Object, parents []string) {
	s.add(q, category, parents...)
	t := tree{reader: s.reader, namespace: category.GetNamespace()}
	below, err := descendants(category.GetName(), t.children(ctx))
	if err != nil {
		if ctx.Err() == nil { // after the context has ended, nothing needs these requests
			s.log.Error(err, "Could not list the descendants of a category", "category", client.ObjectKeyFromObject(category))
		}
		return
	}
	s.add(q, category, below...)
}

// add enqueues Categories of the same namespace.
func (s spreader) add(q queue, category client.Object, names ...string) {
	for _, request := range requests(category.GetNamespace(), names...) {
		q.Add(request)
	}
}

// requests returns requests for Categories of one namespace.
func requests(namespace string, names ...string) []reconcile.Request {
	all := make([]reconcile.Request, 0, len(names))
	for _, name := range names {
		all = append(all, reconcile.Request{NamespacedName: client.ObjectKey{Namespace: namespace, Name: name}})
	}
	return all
}
