// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"errors"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// worker is the plugin's Reconciler as the workers of its controller call it.
type worker struct {
	Reconciler

	limiter   workqueue.TypedRateLimiter[Request]
	deletions *deletions
	causes    *causes
	// run ends when the controller stops. hard ends a while later, and with it the reconciles that are in flight.
	run, hard context.Context //nolint:containedctx // they are the controller's life, not a request's
}

// Reconcile implements controller-runtime's TypedReconciler. A stopping controller gives the reconciles that have begun
// a while to finish, so that few writes are interrupted, and begins no others: the next controller lists every object
// again.
func (w *worker) Reconcile(ctx context.Context, req Request) (reconcile.Result, error) {
	if w.run.Err() != nil {
		return reconcile.Result{}, nil
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(w.hard, cancel)
	defer stop()
	wasDeleted := w.deletions.remove(req)
	turn := w.causes.take(req)
	turn.Attempt = w.limiter.NumRequeues(req) + 1
	result, err := w.Reconciler.Reconcile(ctx, req, turn)
	terminal := errors.Is(err, reconcile.TerminalError(nil))
	if terminal {
		w.limiter.Forget(req) // it is not retried, so the next change is a first attempt
	}
	if requeue := err != nil && !terminal || result.RequeueAfter > 0; wasDeleted && requeue {
		w.deletions.add(req)
	}
	return result, err
}
