// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// probationTime is how long the previous revision is kept at most, if there are too few calls to evaluate the new one.
const probationTime = 5 * time.Minute

// probation is the probation of a new revision, during which the previous revision is kept.
type probation struct {
	before *revision
	until  time.Time
}

// rejection is a revision that was rolled back, and is not loaded again.
type rejection struct {
	fingerprint string
	message     string
}

// evaluate ends the probation of the serving revision when its calls can be evaluated, or its time is over: the revision
// stays, or is rolled back to the previous one.
func (r *Reconciler) evaluate(ctx context.Context, l *load) *problem {
	current := r.serving.get(l.name)
	if current == nil || current.probation == nil {
		return nil
	}
	verdict, cause := current.track.Verdict()
	before, _ := current.probation.before.track.Verdict()
	switch {
	case verdict == plugin.Failing && before != plugin.Failing:
		return r.rollBack(ctx, l, current, cause)
	case verdict != plugin.Unproven, r.Clock.Now().After(current.probation.until):
		r.Slots.Slot(l.name).Keep()
		current.probation = nil
	}
	return nil
}

// rollBack replaces the failing revision with the previous one.
func (r *Reconciler) rollBack(ctx context.Context, l *load, failed *revision, cause error) *problem {
	back := failed.probation.before
	resolved, err := r.resolve(ctx, back.plan)
	if err != nil {
		return nil // the previous revision could not serve either; the probation continues
	}
	back = back.using(resolved)
	if p := r.claimFor(ctx, l, back.plan); p != nil {
		return p
	}
	r.announce(l.plugin, back, failed)
	if !r.Slots.Slot(l.name).Back() {
		failed.probation = nil // the slot is closed, which only happens when the operator stops
		return nil
	}
	log.FromContext(ctx).Info("Rolled back a revision whose first calls failed",
		"failed", failed.digest.Short(), "serves", back.digest.Short(), "error", cause.Error())
	back.rejected = &rejection{fingerprint: failed.fingerprint, message: fmt.Sprintf(
		"%s (version %s) was rolled back, because its first calls failed: %v; it is not retried until the spec or the module changes",
		failed.digest.Short(), failed.metadata.Version, cause)}
	back.serving()
	r.Decorators.RolledBack(l.name.String())
	back.dispatcher.rights.Store(back.rights)
	r.serving.set(l.name, back)

	status := &l.plugin.Status
	status.PreviousDigest, status.Revision = failed.status.Digest, &back.status
	if err := r.applyWebhooks(ctx, l.plugin, back); err != nil {
		return watchProblem("the webhook configurations of the revision before could not be written", err)
	}
	if r.Watches.Running(l.name, back.plan.watch) {
		if err := r.Watches.Resync(ctx, l.name); err != nil {
			return watchProblem("the plugin's objects could not be listed for the revision before", err)
		}
	}
	return nil
}

// reject returns a problem if the wanted revision was rolled back before. Then the serving revision receives its
// events, whatever the rest of the spec asks for.
func (r *Reconciler) reject(ctx context.Context, l *load) *problem {
	current := r.serving.get(l.name)
	if current == nil || current.rejected == nil || current.rejected.fingerprint != l.plan.fingerprint(l.module.Digest) {
		return nil
	}
	switch {
	case !r.leads.Load():
	case !current.plan.receivesEvents():
		r.Watches.Stop(l.name)
	default:
		if err := r.Watches.Ensure(ctx, l.name, current.plan.watch, current.dispatcher); err != nil {
			return watchProblem("the watches of the revision before could not be started", err)
		}
	}
	return &problem{
		condition: pluginsv1alpha1.ConditionServing, reason: pluginsv1alpha1.ReasonRolledBack,
		message: current.rejected.message, recovery: stall,
	}
}

func watchProblem(what string, err error) *problem {
	return &problem{
		condition: pluginsv1alpha1.ConditionServing, reason: pluginsv1alpha1.ReasonWatchFailed,
		message: what + ": " + err.Error(), recovery: retry,
	}
}

// attention enqueues a plugin when something other than an event, such as the results of its calls, requires a
// reconcile.
type attention struct {
	mu    sync.Mutex
	queue workqueue.TypedRateLimitingInterface[reconcile.Request]
}

// Start implements source.Source. It keeps the queue.
func (a *attention) Start(_ context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.queue = q
	return nil
}

// call enqueues a plugin. It does not block.
func (a *attention) call(name types.NamespacedName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.queue != nil {
		a.queue.Add(reconcile.Request{NamespacedName: name})
	}
}
