// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"errors"
	"time"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// recovery says how a plugin gets out of a problem.
type recovery int

const (
	// stall waits until the spec or the module changes; trying again is no use before.
	stall recovery = iota
	// wait waits for an event about something else (a ConfigMap, an account, a kind), and looks
	// again after pollAfter in case no event tells.
	wait
	// retry tries again with growing pauses.
	retry
	// again tries again at once: what was decided on has changed meanwhile.
	again
)

const (
	// pollAfter is how long a waiting plugin is left alone when it may be that nothing tells of the end
	// of its wait, such as a right of the operator's own.
	pollAfter = 15 * time.Second
	// pollRights is how long one is that waits for rights, where changes of rights are heard of.
	pollRights = 5 * time.Minute
	// recheck is how often a plugin that serves is looked at again without a cause: rights may have gone.
	// What it is told of is checked much more often, see dispatch.go.
	recheck = 5 * time.Minute
	// recheckRarely is how often, where changes of rights are heard of.
	recheckRarely = 30 * time.Minute
)

// lookAfter is how long a plugin that waits because of something is left alone. Nothing tells that its account may
// read a Secret now: that is no right on a kind that the plugin is for.
func (r *Reconciler) lookAfter(l *load) time.Duration {
	if l.problem.reason == pluginsv1alpha1.ReasonAccountForbidden && r.Authorizer.Watched() && len(l.plugin.Spec.SettingsFrom) == 0 {
		return pollRights
	}
	return r.Timing.pollAfter()
}

// recheckAfter is how long a plugin that serves is left alone.
func (r *Reconciler) recheckAfter() time.Duration {
	if r.Authorizer.Watched() {
		return recheckRarely
	}
	return recheck
}

// problem is a phase that failed.
type problem struct {
	condition string
	reason    string
	message   string
	recovery  recovery
}

// Error makes a problem an error, which retry hands to the work queue.
func (p *problem) Error() string { return p.condition + ": " + p.message }

// isLossOfRights reports whether it is the plugin's account that is not there, or lacks a right on what the plugin
// is for. Whichever phase needs the account first finds that out.
func (p *problem) isLossOfRights() bool {
	return p.reason == pluginsv1alpha1.ReasonServiceAccountNotFound || p.reason == pluginsv1alpha1.ReasonAccountForbidden
}

// isAboutKinds reports whether it is that a kind is not served as the plugin needs it.
func (p *problem) isAboutKinds() bool {
	return p.reason == pluginsv1alpha1.ReasonKindNotFound || p.reason == pluginsv1alpha1.ReasonKindVersionNotServed
}

// problemOf turns a phase's error into a problem of its condition.
func problemOf(condition string, err error) *problem {
	var load *plugin.LoadError
	if errors.As(err, &load) {
		return &problem{condition: condition, reason: load.Reason, message: load.Error(), recovery: recoveryFrom(load.Reason)}
	}
	return &problem{condition: condition, reason: pluginsv1alpha1.ReasonSourceUnavailable, message: err.Error(), recovery: retry}
}

// recoveryFrom says how to go on after a load failed for a reason. What is wrong with a module's
// bytes stays wrong; what happened when it ran may have been the moment's fault.
func recoveryFrom(reason string) recovery {
	switch reason {
	case pluginsv1alpha1.ReasonConfigMapNotFound, pluginsv1alpha1.ReasonConfigMapKeyNotFound, pluginsv1alpha1.ReasonFileNotFound,
		pluginsv1alpha1.ReasonServiceAccountNotFound, pluginsv1alpha1.ReasonKindNotFound, pluginsv1alpha1.ReasonKindVersionNotServed,
		pluginsv1alpha1.ReasonAccountForbidden, pluginsv1alpha1.ReasonOperatorForbidden,
		pluginsv1alpha1.ReasonNotAsInDirectory, pluginsv1alpha1.ReasonLimitExceeded,
		pluginsv1alpha1.ReasonSecretNotFound, pluginsv1alpha1.ReasonSecretKeyNotFound,
		pluginsv1alpha1.ReasonSecretForbidden, pluginsv1alpha1.ReasonSecretInvalid:
		return wait
	case pluginsv1alpha1.ReasonSourceUnavailable, pluginsv1alpha1.ReasonReviewFailed, pluginsv1alpha1.ReasonWatchFailed, pluginsv1alpha1.ReasonWebhooksFailed,
		pluginsv1alpha1.ReasonInitializeFailed, pluginsv1alpha1.ReasonHealthCheckFailed, pluginsv1alpha1.ReasonCompilerUnavailable:
		return retry
	default:
		return stall
	}
}
