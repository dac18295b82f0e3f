// SPDX-License-Identifier: Apache-2.0

package item

import (
	"context"
	"fmt"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	"github.com/k1s-io/k1s/internal/embedded"
)

// indexByCategory indexes Items by the Category that they name. The name contains the package's name, because a cache
// rejects a second index of the same name.
const indexByCategory = "item/spec.category"

// addIndex adds the index to a cache. Before the cache has started, nothing blocks, so the context does not need an
// end.
func addIndex(indexer client.FieldIndexer) error {
	err := indexer.IndexField(context.Background(), &inventoryv1alpha1.Item{}, indexByCategory, func(object client.Object) []string {
		item, ok := object.(*inventoryv1alpha1.Item)
		if !ok || item.Spec.Category == "" {
			return nil
		}
		return []string{item.Spec.Category}
	})
	if err != nil {
		return fmt.Errorf("index Items by category: %w", err)
	}
	return nil
}

// watches returns the watches that enqueue Items that changed, and the Items whose Category was created or deleted.
// Changes of an Item's status are deliberately not filtered out: the reconcile undoes what others have written to the
// status, and corrects a decision that was made before the cache had the last write.
func watches(reader client.Reader, log logr.Logger) []embedded.Watch {
	return []embedded.Watch{
		{
			Object:  &inventoryv1alpha1.Item{},
			Handler: &handler.EnqueueRequestForObject{},
		},
		{
			Object:     &inventoryv1alpha1.Category{},
			Handler:    handler.EnqueueRequestsFromMapFunc(itemsOf(reader, log)),
			Predicates: []predicate.Predicate{isCreatedOrDeleted()},
		},
	}
}

// isCreatedOrDeleted accepts the events that change whether an object exists. It rejects the events of the initial list: the
// initial list contains every Item as well, and no worker starts before the cache has all of it.
func isCreatedOrDeleted() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(e event.CreateEvent) bool { return !e.IsInInitialList },
		UpdateFunc:  func(event.UpdateEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

// itemsOf maps a Category to the Items that name it.
func itemsOf(reader client.Reader, log logr.Logger) handler.MapFunc {
	return func(ctx context.Context, category client.Object) []reconcile.Request {
		var items inventoryv1alpha1.ItemList
		err := reader.List(ctx, &items, client.InNamespace(category.GetNamespace()),
			client.MatchingFields{indexByCategory: category.GetName()}, client.UnsafeDisableDeepCopy)
		if err != nil {
			if ctx.Err() == nil { // after the context has ended, nothing needs these requests
				log.Error(err, "Could not list the items of a category", "category", client.ObjectKeyFromObject(category))
			}
			return nil
		}
		requests := make([]reconcile.Request, 0, len(items.Items))
		for i := range items.Items {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&items.Items[i])})
		}
		return requests
	}
}
