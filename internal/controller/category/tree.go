// SPDX-License-Identifier: Apache-2.0

package category

import (
	"context"
	"fmt"
	"math"

	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
)

// The names of the indexes are this package's own, as a cache refuses a second one of the same name.
const (
	// indexItemsByCategory finds the Items of a Category.
	indexItemsByCategory = "category/item.spec.category"
	// indexByParent finds the subcategories of a Category.
	indexByParent = "category/spec.parent"
)

// addIndexes adds the indexes to a cache. Before the cache has started there is nothing to wait for,
// hence a context without end.
func addIndexes(indexer client.FieldIndexer) error {
	ctx := context.Background()
	if err := indexer.IndexField(ctx, &inventoryv1alpha1.Item{}, indexItemsByCategory, categoryOf); err != nil {
		return fmt.Errorf("index Items by category: %w", err)
	}
	if err := indexer.IndexField(ctx, &inventoryv1alpha1.Category{}, indexByParent, parentIn); err != nil {
		return fmt.Errorf("index Categories by parent: %w", err)
	}
	return nil
}

// categoryOf returns the category that an Item names, if any.
func categoryOf(object client.Object) []string {
	if item, ok := object.(*inventoryv1alpha1.Item); ok && item.Spec.Category != "" {
		return []string{item.Spec.Category}
	}
	return nil
}

// parentIn returns the parent that a Category names, if any.
func parentIn(object client.Object) []string {
	if category, ok := object.(*inventoryv1alpha1.Category); ok && category.Spec.Parent != "" {
		return []string{category.Spec.Parent}
	}
	return nil
}

// tree reads the Categories and Items of one namespace from the cache. Nothing that it reads is
// changed, so it does without the copies.
type tree struct {
	reader    client.Reader
	namespace string
}

// parent looks a Category's parent up; it is a parentOf.
func (t tree) parent(ctx context.Context) parentOf {
	return func(name string) (string, bool, error) {
		key := client.ObjectKey{Namespace: t.namespace, Name: name}
		category := &inventoryv1alpha1.Category{}
		err := t.reader.Get(ctx, key, category, client.UnsafeDisableDeepCopy)
		if err := client.IgnoreNotFound(err); err != nil {
			return "", false, fmt.Errorf("get Category %q: %w", key, err)
		}
		return category.Spec.Parent, err == nil, nil
	}
}

// children looks the names of a Category's subcategories up; it is a childrenOf.
func (t tree) children(ctx context.Context) childrenOf {
	return func(name string) ([]string, error) {
		var categories inventoryv1alpha1.CategoryList
		if err := t.list(ctx, &categories, indexByParent, name); err != nil {
			return nil, fmt.Errorf("list the subcategories of %s/%s: %w", t.namespace, name, err)
		}
		names := make([]string, 0, len(categories.Items))
		for i := range categories.Items {
			names = append(names, categories.Items[i].Name)
		}
		return names, nil
	}
}

// counts are a Category's numbers of Items and subcategories.
type counts struct{ items, subcategories int32 }

// count counts what belongs to a Category.
func (t tree) count(ctx context.Context, name string) (counts, error) {
	var items inventoryv1alpha1.ItemList
	if err := t.list(ctx, &items, indexItemsByCategory, name); err != nil {
		return counts{}, fmt.Errorf("list the Items of %s/%s: %w", t.namespace, name, err)
	}
	children, err := t.children(ctx)(name)
	if err != nil {
		return counts{}, err
	}
	return counts{items: size(len(items.Items)), subcategories: size(len(children))}, nil
}

func (t tree) list(ctx context.Context, list client.ObjectList, index, value string) error {
	return t.reader.List(ctx, list, client.InNamespace(t.namespace),
		client.MatchingFields{index: value}, client.UnsafeDisableDeepCopy)
}

// size is a length as the API has it.
func size(n int) int32 { return int32(min(n, math.MaxInt32)) }
