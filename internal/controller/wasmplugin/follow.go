// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/log"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// follow makes the serving revision use its kinds as the API server serves them now. A revision whose kinds are not
// served stops: its watches would list resources that do not exist. The failure policy answers its admission requests.
func (r *Reconciler) follow(ctx context.Context, l *load) *problem {
	current := r.serving.get(l.name)
	if current == nil {
		return nil
	}
	resolved, err := r.resolve(ctx, current.plan)
	var unserved *plugin.LoadError
	switch {
	case errors.As(err, &unserved) && current.unserved != nil && current.unserved.message == unserved.Error():
		return nil // as before
	case errors.As(err, &unserved):
		next := *current // other goroutines may read the current one
		next.unserved = problemOf(pluginsv1alpha1.ConditionAuthorized, err)
		r.stopFor(l, &next)
		return nil
	case err != nil:
		// The API server did not answer, which is no reason to stop: its last answer may still be valid.
		return &problem{
			condition: pluginsv1alpha1.ConditionAuthorized, reason: pluginsv1alpha1.ReasonReviewFailed,
			message: err.Error(), recovery: retry,
		}
	case current.unserved == nil && resolved.equal(current.rights.kinds):
		return nil
	}
	log.FromContext(ctx).Info("The kinds of a plugin are served in another way than before", "types", current.plan.types())
	r.stopFor(l, current.using(resolved))
	return nil
}

// stopFor stops a plugin's controller, whose informers are for kinds as they were served before, and replaces its
// revision.
func (r *Reconciler) stopFor(l *load, next *revision) {
	r.Watches.Stop(l.name)
	next.dispatcher.rights.Store(next.rights)
	r.serving.set(l.name, next)
	if next.unserved != nil && r.Webhooks != nil {
		r.Webhooks.Unload(l.name)
	}
}

// using returns the revision with its kinds as they are served now.
func (x *revision) using(resolved kinds) *revision {
	next := *x // other goroutines may read this one
	next.unserved = nil
	next.plan.watch.Kinds = resolved.of(next.plan.watched())
	next.rights = &rights{plan: next.plan, kinds: resolved, finalizer: x.rights.finalizer}
	return &next
}

// resume starts the controller of the serving revision again, which was stopped because of its kinds or permissions,
// while the wanted revision cannot serve. It needs the permissions that a load checks.
func (r *Reconciler) resume(ctx context.Context, l *load, current *revision) error {
	if !r.leads.Load() || !current.plan.receivesEvents() || r.Watches.Running(l.name, current.plan.watch) {
		return nil
	}
	lacks, err := current.rights.lacks(ctx, r.Authorizer.Refresh)
	if err != nil || len(lacks) > 0 {
		return err
	}
	about := &load{plugin: l.plugin, name: l.name, plan: current.plan, kinds: current.rights.kinds}
	for _, check := range []func() error{
		func() error { return r.checkAccount(ctx, current.plan.identity) },
		func() error { return r.checkOperator(ctx, about) },
	} {
		var rejected *plugin.LoadError
		if err := check(); errors.As(err, &rejected) {
			return nil // it waits for that, in addition to what the status says about the wanted revision
		} else if err != nil {
			return err
		}
	}
	if err := r.Watches.Ensure(ctx, l.name, current.plan.watch, current.dispatcher); err != nil {
		return fmt.Errorf("start the watches of the previous revision: %w", err)
	}
	return nil
}
