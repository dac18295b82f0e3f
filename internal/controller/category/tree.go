// SPDX-License-Identifier: Apache-2.0

package category

import (
	"context"
	"fmt"
	"math"

	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
)

// The names of the indexes contain the package's name, because a cache rejects a second index of the same name.
const (
	// indexItemsByCategory indexes Items by the Category that they name.
	indexItemsByCategory = "category/item.spec.category"
	// indexByParent indexes Categories by their parent.
	indexByParent = "category/spec.parent"
)

// addIndexes adds the indexes to a cache. Before the cache has started, nothing blocks, so the context does not need an
// end.
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

// tree reads the Categories and Items of one namespace from the cache. Nothing changes what it reads, so it disables
// the deep copies.
type tree struct {
	reader    client.Reader
	namespace string
}

// parent returns a parentOf that gets a Category from the cache.
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

// children returns a childrenOf that lists the subcategories of a Category from the cache.
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

// count counts the Items and the subcategories of a Category.
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

// size converts a length to the type in the API.
func size(n int) int32 { return int32(min(n, math.MaxInt32)) }
