// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// publish is the last phase, whether or not the others succeeded. It makes the cluster's side of a plugin match its
// serving revision: the plugin's watches, its webhook configurations, and its finalizer on objects.
type publish struct {
	watches    watches
	webhooks   webhooks
	finalizers finalizers
}

// eventsAction and webhooksAction are what publish does with a plugin's watches and webhooks.
type (
	eventsAction   int
	webhooksAction int
)

const (
	// leaveEvents neither starts nor stops the watches.
	leaveEvents eventsAction = iota
	// startEvents starts the watches of the serving revision, if it needs them.
	startEvents
	// resumeEvents starts them if the plugin and the operator have the permissions.
	resumeEvents
	// stopEvents stops the watches.
	stopEvents
)

const (
	// leaveWebhooks does not change the webhooks.
	leaveWebhooks webhooksAction = iota
	// ensureWebhooks ensures the webhooks of the serving revision.
	ensureWebhooks
	// keepWebhooks keeps the webhook configurations, for which the failure policy answers.
	keepWebhooks
	// removeWebhooks removes the webhooks.
	removeWebhooks
)

// actions decides what to publish for a load that has ended.
func (l *load) actions() (eventsAction, webhooksAction) {
	if l.problem == nil {
		return startEvents, ensureWebhooks
	}
	orphaned := l.current == nil && controllerutil.ContainsFinalizer(l.plugin, pluginsv1alpha1.FinalizerCleanup)
	switch {
	case l.hasLostPermissions():
		return stopEvents, removeWebhooks
	case l.current != nil && l.current.unserved != nil:
		return stopEvents, keepWebhooks
	case orphaned && l.problem.isLossOfPermissions():
		// A previous operator may have left webhook configurations whose requests nothing answers.
		return leaveEvents, removeWebhooks
	case orphaned:
		return leaveEvents, keepWebhooks
	case l.current == nil:
		return leaveEvents, leaveWebhooks
	case l.problem.reason == pluginsv1alpha1.ReasonRolledBack:
		return startEvents, ensureWebhooks
	}
	events, hooks := resumeEvents, ensureWebhooks
	if l.problem.condition == pluginsv1alpha1.ConditionServing {
		events = leaveEvents
	}
	if len(l.current.plan.AdmissionVerbs()) == 0 {
		hooks = leaveWebhooks
	}
	return events, hooks
}

// run returns the delay before it has to be called again without another cause, where 0 means never. A failure to
// publish the wanted revision is the problem of the load; other errors are returned.
func (p publish) run(ctx context.Context, l *load) (time.Duration, error) {
	events, hooks := l.actions()
	failed := p.watches.publish(ctx, l, events)
	if failed != nil && events == startEvents {
		l.fail(&problem{
			condition: pluginsv1alpha1.ConditionServing, reason: pluginsv1alpha1.ReasonWatchFailed,
			message: failed.Error(), recovery: retry,
		})
		failed = nil
	}
	err := p.webhooks.publish(ctx, l, hooks)
	if err != nil && l.problem == nil {
		l.fail(&problem{
			condition: pluginsv1alpha1.ConditionServing, reason: pluginsv1alpha1.ReasonWebhooksFailed,
			message: err.Error(), recovery: retry,
		})
		err = nil
	}
	wait, cleanup := p.finalizers.publish(ctx, l)
	return wait, errors.Join(failed, err, cleanup)
}

// stop stops what the serving revision must not receive any more, while the wanted revision waits for its load.
func (p publish) stop(l *load) {
	p.watches.stop(l.name)
	if l.current.unserved != nil {
		p.webhooks.unload(l.name)
	}
}

// remove removes the plugin's watches and webhooks.
func (p publish) remove(ctx context.Context, name types.NamespacedName) error {
	p.watches.stop(name)
	return p.webhooks.remove(ctx, name)
}
