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
)

// pollAfter is how long a waiting plugin is left alone. Nothing tells of changed Roles.
const pollAfter = 15 * time.Second

// recheckAfter is how often a plugin that serves is looked at again without a cause: rights may have
// gone. What it is told of is checked much more often, see dispatch.go.
const recheckAfter = 5 * time.Minute

// problem is a phase that failed.
type problem struct {
	condition string
	reason    string
	message   string
	recovery  recovery
}

// Error makes a problem an error, which retry hands to the work queue.
func (p *problem) Error() string { return p.condition + ": " + p.message }

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
		pluginsv1alpha1.ReasonServiceAccountNotFound, pluginsv1alpha1.ReasonKindNotFound,
		pluginsv1alpha1.ReasonWatchForbidden, pluginsv1alpha1.ReasonOperatorForbidden:
		return wait
	case pluginsv1alpha1.ReasonSourceUnavailable, pluginsv1alpha1.ReasonReviewFailed, pluginsv1alpha1.ReasonWatchFailed,
		pluginsv1alpha1.ReasonInitializeFailed, pluginsv1alpha1.ReasonHealthCheckFailed:
		return retry
	default:
		return stall
	}
}
