// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
)

// syncTimeout limits the initial list of a kind. A plugin whose kind takes longer is retried.
const syncTimeout = 30 * time.Second

// informers counts the users of each kind's informer.
type informers struct {
	cache *Cache
	// syncTimeout is syncTimeout, except in tests.
	syncTimeout time.Duration

	mu sync.Mutex
	// current are the informers in the cache.
	current map[schema.GroupVersionKind]*informer
}

// informer is the informer of a kind, as the kind was served when it started.
type informer struct {
	cache.Informer

	mapping     meta.RESTMapping
	users       int
	broadcaster *broadcaster
}

func newInformers(c *Cache) *informers {
	return &informers{cache: c, syncTimeout: syncTimeout, current: map[schema.GroupVersionKind]*informer{}}
}

// acquire returns the informer of a kind once it has every object. Each successful acquire needs a release.
func (i *informers) acquire(ctx context.Context, kind *meta.RESTMapping) (*informer, error) {
	acquired, err := i.add(ctx, kind)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", kind.GroupVersionKind.GroupKind(), err)
	}
	ctx, cancel := context.WithTimeout(ctx, i.syncTimeout)
	defer cancel()
	if !toolscache.WaitForCacheSync(ctx.Done(), acquired.HasSynced) {
		i.release(acquired)
		return nil, fmt.Errorf("list %s: not done within %s", kind.GroupVersionKind.GroupKind(), i.syncTimeout)
	}
	return acquired, nil
}

// add counts a user and starts the informer for the first one. It holds the lock, so that the release by the last user
// cannot stop the informer that a new user has just acquired. If the kind is served in another way now, a new informer
// replaces the existing one. The users of the existing one receive nothing from it any more, and are about to release
// it.
func (i *informers) add(ctx context.Context, kind *meta.RESTMapping) (*informer, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	gvk := kind.GroupVersionKind
	if found := i.current[gvk]; found != nil {
		if found.mapping == *kind {
			found.users++
			return found, nil
		}
		i.remove(gvk)
	}
	i.cache.kinds.set(kind)
	made, err := i.cache.GetInformer(ctx, object(gvk), cache.BlockUntilSynced(false))
	if err != nil {
		i.remove(gvk)
		return nil, err
	}
	f := newBroadcaster(gvk, i.cache)
	if _, err := made.AddEventHandler(f); err != nil {
		i.remove(gvk)
		return nil, err
	}
	i.current[gvk] = &informer{Informer: made, mapping: *kind, users: 1, broadcaster: f}
	return i.current[gvk], nil
}

// release releases an informer. The last user's release stops it.
func (i *informers) release(used *informer) {
	i.mu.Lock()
	defer i.mu.Unlock()
	gvk := used.mapping.GroupVersionKind
	if used.users--; used.users == 0 && i.current[gvk] == used {
		i.remove(gvk)
	}
}

// remove stops a kind's informer. The caller holds the lock.
func (i *informers) remove(gvk schema.GroupVersionKind) {
	delete(i.current, gvk)
	_ = i.cache.RemoveInformer(context.Background(), object(gvk)) // it only fails for kinds of a scheme
	i.cache.kinds.forget(gvk)
}

func object(gvk schema.GroupVersionKind) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(gvk)
	return u
}
