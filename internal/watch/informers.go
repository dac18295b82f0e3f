// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
)

// syncTimeout bounds the first list of a kind. A plugin whose kind takes longer is tried again.
const syncTimeout = 30 * time.Second

// informers counts who uses the informer of each kind.
type informers struct {
	cache *Cache
	// patience is syncTimeout, but for tests.
	patience time.Duration

	mu    sync.Mutex
	users map[schema.GroupVersionKind]int
	fans  map[schema.GroupVersionKind]*fan
}

func newInformers(c *Cache) *informers {
	return &informers{cache: c, patience: syncTimeout, users: map[schema.GroupVersionKind]int{}, fans: map[schema.GroupVersionKind]*fan{}}
}

// acquire returns what tells of a kind's events, once its informer holds every object. Each success
// takes a release.
func (i *informers) acquire(ctx context.Context, gvk schema.GroupVersionKind) (*fan, error) {
	informer, f, err := i.add(ctx, gvk)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, i.patience)
	defer cancel()
	if !toolscache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		i.release(gvk)
		return nil, fmt.Errorf("list %s: not done within %s", gvk.GroupKind(), i.patience)
	}
	return f, nil
}

// add counts a user and starts the informer if it is the first. The lock keeps the last user's
// leaving from stopping the informer that a new user has just been given.
func (i *informers) add(ctx context.Context, gvk schema.GroupVersionKind) (cache.Informer, *fan, error) {
	// Looking a kind up may ask the API server, for which nobody is to wait who asks what is watched.
	if _, err := i.cache.namespaced(gvk); err != nil {
		return nil, nil, fmt.Errorf("watch %s: %w", gvk.GroupKind(), err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	informer, err := i.cache.GetInformer(ctx, object(gvk), cache.BlockUntilSynced(false))
	if err != nil {
		return nil, nil, fmt.Errorf("watch %s: %w", gvk.GroupKind(), err)
	}
	f := i.fans[gvk]
	if f == nil {
		f = newFan(gvk, i.cache)
		if _, err := informer.AddEventHandler(f); err != nil {
			return nil, nil, fmt.Errorf("watch %s: %w", gvk.GroupKind(), err)
		}
		i.fans[gvk] = f
	}
	i.users[gvk]++
	return informer, f, nil
}

// release gives one use up; the last one stops the informer.
func (i *informers) release(gvk schema.GroupVersionKind) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.users[gvk]--; i.users[gvk] > 0 {
		return
	}
	delete(i.users, gvk)
	delete(i.fans, gvk)
	_ = i.cache.RemoveInformer(context.Background(), object(gvk)) // it errs for kinds of a scheme only
}

// count returns how many controllers use each kind's informer.
func (i *informers) count() map[schema.GroupVersionKind]int {
	i.mu.Lock()
	defer i.mu.Unlock()
	out := make(map[schema.GroupVersionKind]int, len(i.users))
	for gvk, n := range i.users {
		out[gvk] = n
	}
	return out
}

func object(gvk schema.GroupVersionKind) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(gvk)
	return u
}
