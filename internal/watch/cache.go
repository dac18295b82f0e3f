// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Cache is the cache of the cluster's objects that plugins share. It is separate from the operator's own cache, so that
// its informers start and stop with the plugins. Objects in it must not be changed, because they are not copied.
type Cache struct {
	cache.Cache

	// kinds maps the kinds that have informers to how they are served.
	kinds *mapper
}

// NewCache returns a Cache. The caller starts it.
func NewCache(config *rest.Config) (*Cache, error) {
	kinds := &mapper{mappings: map[schema.GroupVersionKind]*meta.RESTMapping{}}
	c, err := cache.New(config, cache.Options{
		Scheme:                       runtime.NewScheme(), // every kind is read as unstructured
		Mapper:                       kinds,
		DefaultTransform:             cache.TransformStripManagedFields(), // a third of an object, and of no use to a guest
		DefaultUnsafeDisableDeepCopy: new(true),
		ReaderFailOnMissingInformer:  true, // a read must never start a watch that nothing stops
	})
	if err != nil {
		return nil, err
	}
	return &Cache{Cache: c, kinds: kinds}, nil
}

// Watched reports whether the cache has the objects of a kind, as the kind is served now.
func (m *Manager) Watched(kind *meta.RESTMapping) bool {
	m.informers.mu.Lock()
	defer m.informers.mu.Unlock()
	i := m.informers.current[kind.GroupVersionKind]
	return i != nil && i.mapping == *kind
}

// Object returns an object, which must not be changed, or a NotFound error.
func (m *Manager) Object(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, error) {
	u := object(gvk)
	if err := m.informers.cache.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, u); err != nil {
		return nil, err
	}
	return u, nil
}

// Get returns the JSON of an object, or a NotFound error.
func (m *Manager) Get(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) ([]byte, error) {
	u, err := m.Object(ctx, gvk, namespace, name)
	if err != nil {
		return nil, err
	}
	return json.Marshal(u.Object)
}

// List returns the JSON of a list of the objects that match a label selector.
func (m *Manager) List(ctx context.Context, gvk schema.GroupVersionKind, namespace, labelSelector string) ([]byte, error) {
	selector, err := labels.Parse(labelSelector)
	if err != nil {
		return nil, fmt.Errorf("labelSelector: %w", err)
	}
	list, err := m.list(ctx, gvk, &client.ListOptions{Namespace: namespace, LabelSelector: selector})
	if err != nil {
		return nil, err
	}
	items := make([]any, len(list.Items))
	for i := range list.Items {
		items[i] = list.Items[i].Object
	}
	return json.Marshal(map[string]any{
		"apiVersion": gvk.GroupVersion().String(),
		"kind":       gvk.Kind + "List",
		"metadata":   map[string]any{"resourceVersion": list.GetResourceVersion()},
		"items":      items,
	})
}

func (m *Manager) list(ctx context.Context, gvk schema.GroupVersionKind, options *client.ListOptions) (*unstructured.UnstructuredList, error) {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	return list, m.informers.cache.List(ctx, list, options)
}
