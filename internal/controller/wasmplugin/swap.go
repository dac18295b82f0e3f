// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// swap replaces the serving revision with the new one, or rolls it back.
type swap struct {
	revisions   *Revisions
	webhooks    webhooks
	dispatchers dispatchers
	decorators  Decorators
}

func (s swap) run(_ context.Context, l *load) *problem {
	switch {
	case l.rollback != nil:
		s.webhooks.announce(l.plugin, l.rollback.to, l.current)
		var done bool
		if l.current, done = s.revisions.rollBack(l.name, l.rollback); !done {
			return &problem{condition: pluginsv1alpha1.ConditionServing, reason: pluginsv1alpha1.ReasonPending, recovery: retryNow}
		}
		s.decorators.RolledBack(l.name.String())
		return l.rollback.rejection.problem()
	case l.compiled != nil:
		next := l.compiled.revision
		if l.current != nil {
			next.dispatcher = l.current.dispatcher
			s.webhooks.announce(l.plugin, next, l.current)
		} else {
			next.dispatcher = s.dispatchers.new(l.plugin, s.revisions.slots.Slot(l.name))
		}
		l.current = s.revisions.install(l.name, l.compiled)
	default: // the serving revision stays, with what does not need a new one
		s.revisions.using(l.name, l.kinds)
		l.current = s.revisions.update(l.name, func(x *revision) { x.status.Source = l.source })
	}
	return nil
}
