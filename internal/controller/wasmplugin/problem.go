// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"errors"
	"time"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// recovery is how a plugin recovers from a problem.
type recovery int

const (
	// stall waits until the spec or the module changes; a retry before that is useless.
	stall recovery = iota
	// wait waits for an event of something else (a ConfigMap, a ServiceAccount, a kind), and requeues the plugin after
	// pollAfter in case there is no such event.
	wait
	// retry retries with growing delays.
	retry
	// retryNow retries at once: what the decision was based on has changed meanwhile.
	retryNow
)

const (
	// pollAfter is the delay before a waiting plugin is reconciled again if no event may announce the end of its wait,
	// for example when the operator itself lacks a permission.
	pollAfter = 15 * time.Second
	// pollPermissions is the delay if the plugin waits for permissions and changes of RBAC are watched.
	pollPermissions = 5 * time.Minute
	// recheck is how often a serving plugin is reconciled without a cause, because its permissions may have been
	// revoked. The permission for each event is checked much more often, see dispatch.go.
	recheck = 5 * time.Minute
	// recheckRarely replaces recheck if changes of RBAC are watched.
	recheckRarely = 30 * time.Minute
)

// problem is the failure of a phase.
type problem struct {
	condition string
	reason    string
	message   string
	recovery  recovery
}

// Error implements error: if the recovery is retry, the problem is the error for the work queue.
func (p *problem) Error() string { return p.condition + ": " + p.message }

// isLossOfPermissions reports whether the problem is that the plugin's ServiceAccount does not exist, or lacks a permission
// on what the plugin is for. The first phase that needs the ServiceAccount finds that out.
func (p *problem) isLossOfPermissions() bool {
	return p.reason == pluginsv1alpha1.ReasonServiceAccountNotFound || p.reason == pluginsv1alpha1.ReasonAccountForbidden
}

// isAboutKinds reports whether the problem is that a kind is not served as the plugin needs it.
func (p *problem) isAboutKinds() bool {
	return p.reason == pluginsv1alpha1.ReasonKindNotFound || p.reason == pluginsv1alpha1.ReasonKindVersionNotServed
}

// problemOf converts a phase's error to a problem with the phase's condition.
func problemOf(condition string, err error) *problem {
	var load *plugin.LoadError
	if errors.As(err, &load) {
		return &problem{condition: condition, reason: load.Reason, message: load.Error(), recovery: recoveryFrom(load.Reason)}
	}
	return &problem{condition: condition, reason: pluginsv1alpha1.ReasonSourceUnavailable, message: err.Error(), recovery: retry}
}

// recoveryFrom returns the recovery from a load that failed for a reason. What is wrong with a module's bytes stays
// wrong. A failure when it ran may be temporary.
func recoveryFrom(reason string) recovery {
	if isAboutSignatures(reason) {
		return wait // the artifact can be signed without another change
	}
	switch reason {
	case pluginsv1alpha1.ReasonConfigMapNotFound, pluginsv1alpha1.ReasonConfigMapKeyNotFound, pluginsv1alpha1.ReasonFileNotFound,
		pluginsv1alpha1.ReasonServiceAccountNotFound, pluginsv1alpha1.ReasonKindNotFound, pluginsv1alpha1.ReasonKindVersionNotServed,
		pluginsv1alpha1.ReasonAccountForbidden, pluginsv1alpha1.ReasonOperatorForbidden,
		pluginsv1alpha1.ReasonNotAsInDirectory, pluginsv1alpha1.ReasonLimitExceeded,
		pluginsv1alpha1.ReasonSecretNotFound, pluginsv1alpha1.ReasonSecretKeyNotFound,
		pluginsv1alpha1.ReasonSecretForbidden, pluginsv1alpha1.ReasonSecretInvalid,
		pluginsv1alpha1.ReasonPulling, pluginsv1alpha1.ReasonPullSecretNotFound, pluginsv1alpha1.ReasonPullSecretForbidden,
		pluginsv1alpha1.ReasonPullSecretInvalid, pluginsv1alpha1.ReasonCABundleInvalid, pluginsv1alpha1.ReasonUnauthorized,
		pluginsv1alpha1.ReasonArtifactNotFound, pluginsv1alpha1.ReasonRegistryUnavailable, pluginsv1alpha1.ReasonArtifactCorrupt:
		return wait
	case pluginsv1alpha1.ReasonSourceUnavailable, pluginsv1alpha1.ReasonReviewFailed, pluginsv1alpha1.ReasonWatchFailed, pluginsv1alpha1.ReasonWebhooksFailed,
		pluginsv1alpha1.ReasonInitializeFailed, pluginsv1alpha1.ReasonHealthCheckFailed, pluginsv1alpha1.ReasonCompilerUnavailable:
		return retry
	default:
		return stall
	}
}
