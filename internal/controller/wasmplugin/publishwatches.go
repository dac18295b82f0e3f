// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/watch"
)

// Watches starts and stops the controllers of plugins.
type Watches interface {
	Ensure(ctx context.Context, name types.NamespacedName, spec watch.Spec, r watch.Reconciler) error
	Running(name types.NamespacedName, spec watch.Spec) bool
	Resync(ctx context.Context, name types.NamespacedName) error
	Stop(name types.NamespacedName)
	ObjectReader
}

// watches publishes the controllers of plugins, which only run on the leader.
type watches struct {
	manager     Watches
	permissions permissions
	revisions   *Revisions
	replica     *replica
}

// publish sets l.watching.
func (w watches) publish(ctx context.Context, l *load, action eventsAction) (err error) {
	switch {
	case action == leaveEvents, action != stopEvents && !w.replica.leads():
	case action == stopEvents, action == startEvents && !l.current.plan.ReceivesEvents():
		w.stop(l.name)
	case action == startEvents:
		err = w.start(ctx, l)
	default:
		err = w.resume(ctx, l)
	}
	l.watching = w.running(l)
	return err
}

// running reports whether the serving revision receives the events that it needs.
func (w watches) running(l *load) bool {
	return l.current != nil && (!l.current.plan.ReceivesEvents() || w.manager.Running(l.name, l.current.plan.Watch))
}

func (w watches) stop(name types.NamespacedName) { w.manager.Stop(name) }

// start starts the controller of the serving revision. If it runs already, a new revision reconciles every object again.
func (w watches) start(ctx context.Context, l *load) error {
	resync := l.current.resync && w.running(l)
	if err := w.manager.Ensure(ctx, l.name, l.current.plan.Watch, l.current.dispatcher); err != nil {
		return fmt.Errorf("the plugin's watches could not be started: %w", err)
	}
	if resync {
		if err := w.manager.Resync(ctx, l.name); err != nil {
			return fmt.Errorf("the plugin's objects could not be listed for the new revision: %w", err)
		}
	}
	if l.current.resync {
		l.current = w.revisions.update(l.name, func(x *revision) { x.resync = false })
	}
	return nil
}

// resume starts the controller of the serving revision again, which was stopped because of its kinds or permissions,
// while the wanted revision cannot serve. It needs the permissions that a load checks.
func (w watches) resume(ctx context.Context, l *load) error {
	x := l.current
	if !x.plan.ReceivesEvents() || w.running(l) && !x.resync {
		return nil
	}
	lacks, err := missing(ctx, x.plan, x.kinds, w.permissions.authorizer.Refresh)
	if err != nil || len(lacks) > 0 {
		return err
	}
	if err = w.permissions.checkServiceAccount(ctx, x.plan.Identity); err == nil {
		err = w.permissions.checkOperator(ctx, x.plan, x.kinds)
	}
	if rejected := (*plugin.LoadError)(nil); errors.As(err, &rejected) {
		return nil // it waits for that, in addition to what the status says about the wanted revision
	}
	if err != nil {
		return err
	}
	return w.start(ctx, l)
}
