// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// enqueuer enqueues a plugin when something other than an event, such as the results of its calls, requires a
// reconcile.
type enqueuer struct {
	mu    sync.Mutex
	queue workqueue.TypedRateLimitingInterface[reconcile.Request]
}

// Start implements source.Source. It keeps the queue.
func (a *enqueuer) Start(_ context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.queue = q
	return nil
}

// enqueue enqueues a plugin. It does not block.
func (a *enqueuer) enqueue(name types.NamespacedName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.queue != nil {
		a.queue.Add(reconcile.Request{NamespacedName: name})
	}
}
