// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"fmt"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/conditions"
	"github.com/k1s-io/k1s/internal/plugin"
)

// summarize sets the conditions about a plugin as a whole (Serving, Degraded, Ready, and Stalled or Reconciling as
// kstatus defines them), and the serving revision.
func summarize(l *load) {
	switch {
	case l.problem == nil:
		summarizeServing(l)
	case l.serves():
		summarizePrevious(l)
	default:
		summarizeNone(l)
	}
	stalled := l.problem != nil && l.problem.recovery == stall
	l.setWhile(stalled, pluginsv1alpha1.ConditionStalled)
	l.setWhile(l.problem != nil && !stalled, pluginsv1alpha1.ConditionReconciling)
	if l.problem != nil {
		l.conditions.False(pluginsv1alpha1.ConditionReady, l.problem.reason, l.problem.message)
		l.plugin.Status.LastError = conditions.Truncate(l.problem.message)
	}
}

// setWhile sets a condition that only exists while it is true.
func (l *load) setWhile(is bool, conditionType string) {
	if is {
		l.conditions.True(conditionType, l.problem.reason, l.problem.message)
	} else {
		l.conditions.Remove(conditionType)
	}
}

// serves reports whether a revision serves although the load has failed.
func (l *load) serves() bool {
	return l.current != nil && l.watching && l.current.unserved == nil && !l.hasLostPermissions()
}

// hasLostPermissions reports whether the load that failed is that of the serving revision: its ServiceAccount was
// deleted, or lacks permissions that it had. Then the serving revision must not receive events either.
func (l *load) hasLostPermissions() bool {
	switch {
	case l.current == nil, l.problem == nil:
		return false
	case l.current.unserved != nil:
		return l.problem.isLossOfPermissions()
	case l.problem.condition != pluginsv1alpha1.ConditionAuthorized && !l.problem.isLossOfPermissions() || l.problem.recovery == retry:
		return false
	}
	return l.current.plan.NeedsSame(l.plan)
}

// summarizeServing is for a plugin that serves what its spec asks for.
func summarizeServing(l *load) {
	l.showRevision()
	l.plugin.Status.LastError = ""
	is := l.current.status
	l.conditions.True(pluginsv1alpha1.ConditionCompiled, pluginsv1alpha1.ReasonSucceeded,
		fmt.Sprintf("%s is compiled, initialized and healthy", is.ShortDigest))
	message := fmt.Sprintf("%s (version %s) %s", is.ShortDigest, is.Version, l.plan.Summary())
	l.conditions.True(pluginsv1alpha1.ConditionServing, pluginsv1alpha1.ReasonAsSpecified, message)
	if verdict, cause := l.current.track.Verdict(); verdict == plugin.Failing {
		failing := fmt.Sprintf("%s (version %s) serves, but half of its last calls failed or more; the objects are retried: %v",
			is.ShortDigest, is.Version, cause)
		l.conditions.True(pluginsv1alpha1.ConditionDegraded, pluginsv1alpha1.ReasonCallsFailing, failing)
		l.conditions.False(pluginsv1alpha1.ConditionReady, pluginsv1alpha1.ReasonCallsFailing, failing)
		return
	}
	l.conditions.False(pluginsv1alpha1.ConditionDegraded, pluginsv1alpha1.ReasonAsSpecified, "the revision of the current spec serves")
	l.conditions.True(pluginsv1alpha1.ConditionReady, pluginsv1alpha1.ReasonSucceeded, message)
}

// summarizePrevious is for a plugin whose previous revision keeps serving.
func summarizePrevious(l *load) {
	l.showRevision()
	message := fmt.Sprintf("%s (version %s) keeps serving, because the current revision cannot: %s",
		l.current.status.ShortDigest, l.current.status.Version, l.problem.message)
	reason := pluginsv1alpha1.ReasonPreviousRevision
	if l.problem.reason == pluginsv1alpha1.ReasonRolledBack {
		reason = pluginsv1alpha1.ReasonRolledBack
	}
	l.conditions.True(pluginsv1alpha1.ConditionServing, pluginsv1alpha1.ReasonPreviousRevision, message)
	l.conditions.True(pluginsv1alpha1.ConditionDegraded, reason, message)
}

// summarizeNone is for a plugin without a serving revision.
func summarizeNone(l *load) {
	if l.current != nil {
		l.showRevision()
	}
	if l.problem.condition != pluginsv1alpha1.ConditionServing {
		l.conditions.False(pluginsv1alpha1.ConditionServing, pluginsv1alpha1.ReasonNoRevision, "the plugin receives no events: "+l.whyNone())
	}
	l.conditions.False(pluginsv1alpha1.ConditionDegraded, pluginsv1alpha1.ReasonNoRevision, "no revision serves")
	l.retireRevision()
}

// whyNone returns why no revision serves: the wanted one has a problem, and the previous one may have another.
func (l *load) whyNone() string {
	if l.current == nil || l.current.unserved == nil || l.current.unserved.message == l.problem.message {
		return l.problem.message
	}
	return l.problem.message + "; the previous revision cannot serve either: " + l.current.unserved.message
}

// summarizeSuspended is for a plugin that spec.suspend has unloaded, which may have failed.
func summarizeSuspended(l *load, failed error) {
	message := "spec.suspend is true"
	if failed != nil {
		message += "; the plugin could not be unloaded, which is retried: " + failed.Error()
	}
	l.retireRevision()
	for _, c := range phaseConditions() {
		l.conditions.Unknown(c, pluginsv1alpha1.ReasonSuspended, message)
	}
	l.conditions.Remove(pluginsv1alpha1.ConditionSignatureVerified) // whether one is needed is found out by a load
	for _, c := range []string{pluginsv1alpha1.ConditionServing, pluginsv1alpha1.ConditionDegraded, pluginsv1alpha1.ConditionReady} {
		l.conditions.False(c, pluginsv1alpha1.ReasonSuspended, message)
	}
	l.conditions.Remove(pluginsv1alpha1.ConditionStalled)
	l.conditions.Remove(pluginsv1alpha1.ConditionReconciling)
}

// summarizeTerminating is for a plugin that is being deleted, and still exists because of l.cleanupPending.
func summarizeTerminating(l *load) {
	l.retireRevision()
	l.conditions.False(pluginsv1alpha1.ConditionCleanedUp, pluginsv1alpha1.ReasonSweepFailed, l.cleanupPending.Error())
	for _, c := range []string{pluginsv1alpha1.ConditionServing, pluginsv1alpha1.ConditionDegraded} {
		l.conditions.False(c, pluginsv1alpha1.ReasonTerminating, "the plugin is being deleted")
	}
	l.conditions.False(pluginsv1alpha1.ConditionReady, pluginsv1alpha1.ReasonTerminating,
		"the plugin is being deleted, and its finalizer or its webhook configurations could not be removed; the operator retries: "+l.cleanupPending.Error())
}

// showRevision makes the status report the serving revision.
func (l *load) showRevision() {
	is := l.current.status
	if was := l.plugin.Status.Revision; was != nil && was.Digest != is.Digest {
		l.plugin.Status.PreviousDigest = was.Digest
	}
	l.plugin.Status.Revision = &is
}

// retireRevision moves the revision that no longer serves to status.previousDigest.
func (l *load) retireRevision() {
	if status := &l.plugin.Status; status.Revision != nil {
		status.PreviousDigest, status.Revision = status.Revision.Digest, nil
	}
}
