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

// trialTime is how long the revision before is kept at most, if there are too few calls to tell whether
// the new one is sound.
const trialTime = 5 * time.Minute

// trial is what a new revision goes through while the one before is kept for its sake.
type trial struct {
	before *revision
	until  time.Time
}

// refusal is a revision that was taken back, and is not tried again.
type refusal struct {
	fingerprint string
	message     string
}

// judge ends the trial of the revision that serves, once its calls say how: it stays, or the one before
// comes back.
func (r *Reconciler) judge(ctx context.Context, l *load) *problem {
	current := r.serving.get(l.name)
	if current == nil || current.trial == nil {
		return nil
	}
	verdict, cause := current.track.Verdict()
	before, _ := current.trial.before.track.Verdict()
	switch {
	case verdict == plugin.Failing && before != plugin.Failing:
		return r.rollBack(ctx, l, current, cause)
	case verdict != plugin.Unproven, r.Clock.Now().After(current.trial.until):
		r.Slots.Slot(l.name).Keep()
		current.trial = nil
	}
	return nil
}

// rollBack puts the revision before in the place of the one that fails.
func (r *Reconciler) rollBack(ctx context.Context, l *load, failed *revision, cause error) *problem {
	back := failed.trial.before
	resolved, err := r.resolve(ctx, back.plan)
	if err != nil {
		return nil // it could not serve either; the trial goes on
	}
	back = back.using(resolved)
	if p := r.claimFor(ctx, l, back.plan); p != nil {
		return p
	}
	r.announce(l.plugin, back, failed)
	if !r.Slots.Slot(l.name).Back() {
		failed.trial = nil // it is closed, which only happens when the operator ends
		return nil
	}
	log.FromContext(ctx).Info("Rolled back a revision whose first calls failed",
		"failed", failed.digest.Short(), "serves", back.digest.Short(), "error", cause.Error())
	back.refused = &refusal{fingerprint: failed.fingerprint, message: fmt.Sprintf(
		"%s (version %s) was rolled back, because its first calls failed: %v; it is not tried again until the spec or the module changes",
		failed.digest.Short(), failed.metadata.Version, cause)}
	back.serves()
	r.Decorators.RolledBack(l.name.String())
	back.dispatcher.rights.Store(back.rights)
	r.serving.set(l.name, back)

	status := &l.plugin.Status
	status.PreviousDigest, status.Revision = failed.status.Digest, &back.status
	if err := r.hold(ctx, l.plugin, back); err != nil {
		return watchProblem("the webhook configurations of the revision before could not be written", err)
	}
	if r.Watches.Running(l.name, back.plan.watch) {
		if err := r.Watches.Resync(ctx, l.name); err != nil {
			return watchProblem("the plugin's objects could not be listed for the revision before", err)
		}
	}
	return nil
}

// refuse reports whether what the spec asks for was rolled back before. Then the revision that serves gets
// its events, whatever the rest of the spec asks for.
func (r *Reconciler) refuse(ctx context.Context, l *load) *problem {
	current := r.serving.get(l.name)
	if current == nil || current.refused == nil || current.refused.fingerprint != l.plan.fingerprint(l.module.Digest) {
		return nil
	}
	switch {
	case !r.leads.Load():
	case !current.plan.toldOfEvents():
		r.Watches.Stop(l.name)
	default:
		if err := r.Watches.Ensure(ctx, l.name, current.plan.watch, current.dispatcher); err != nil {
			return watchProblem("the watches of the revision before could not be started", err)
		}
	}
	return &problem{
		condition: pluginsv1alpha1.ConditionServing, reason: pluginsv1alpha1.ReasonRolledBack,
		message: current.refused.message, recovery: stall,
	}
}

func watchProblem(what string, err error) *problem {
	return &problem{
		condition: pluginsv1alpha1.ConditionServing, reason: pluginsv1alpha1.ReasonWatchFailed,
		message: what + ": " + err.Error(), recovery: retry,
	}
}

// attention lets what happens to a plugin's calls make the plugin be looked at again.
type attention struct {
	mu    sync.Mutex
	queue workqueue.TypedRateLimitingInterface[reconcile.Request]
}

// Start implements source.Source, whose queue it keeps.
func (a *attention) Start(_ context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.queue = q
	return nil
}

// call asks for a plugin to be looked at. It does not block.
func (a *attention) call(name types.NamespacedName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.queue != nil {
		a.queue.Add(reconcile.Request{NamespacedName: name})
	}
}
