// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/conditions"
	"github.com/k1s-io/k1s/internal/plugin"
)

// phases returns the conditions of the phases, in their order.
func phases() []string {
	return []string{
		pluginsv1alpha1.ConditionFetched,
		pluginsv1alpha1.ConditionVerified,
		pluginsv1alpha1.ConditionSettingsValid,
		pluginsv1alpha1.ConditionAuthorized,
		pluginsv1alpha1.ConditionCompiled,
	}
}

// succeed sets the conditions of a plugin that serves what its spec asks for.
func (r *Reconciler) succeed(l *load) {
	l.displayed(r.serving.get(l.name))
	revision := l.plugin.Status.Revision
	l.conditions.True(pluginsv1alpha1.ConditionCompiled, pluginsv1alpha1.ReasonSucceeded,
		fmt.Sprintf("%s is compiled, initialized and healthy", revision.ShortDigest))
	message := fmt.Sprintf("%s (version %s) %s", revision.ShortDigest, revision.Version, l.plan.summarize())
	l.conditions.True(pluginsv1alpha1.ConditionServing, pluginsv1alpha1.ReasonAsSpecified, message)
	l.conditions.False(pluginsv1alpha1.ConditionDegraded, pluginsv1alpha1.ReasonAsSpecified, "what serves is what the spec asks for")
	l.plugin.Status.LastError = ""
	if verdict, cause := r.serving.get(l.name).track.Verdict(); verdict == plugin.Failing {
		failing := fmt.Sprintf("%s (version %s) serves, but half of its last calls failed or more; the objects are retried: %v",
			revision.ShortDigest, revision.Version, cause)
		l.conditions.True(pluginsv1alpha1.ConditionDegraded, pluginsv1alpha1.ReasonCallsFailing, failing)
		l.conditions.False(pluginsv1alpha1.ConditionReady, pluginsv1alpha1.ReasonCallsFailing, failing)
		return
	}
	l.conditions.True(pluginsv1alpha1.ConditionReady, pluginsv1alpha1.ReasonSucceeded, message)
}

// fail sets the conditions of a plugin whose load ended with a problem, and returns when to retry.
func (r *Reconciler) fail(ctx context.Context, l *load) (ctrl.Result, error) {
	p := l.problem
	p.message = l.plan.redact.Text(p.message) // the message should not contain secrets any more; this makes sure
	l.conditions.False(p.condition, p.reason, p.message)
	for _, later := range phases()[slices.Index(phases(), p.condition)+1:] {
		if p.condition == pluginsv1alpha1.ConditionServing {
			break // every earlier phase has succeeded
		}
		l.conditions.Unknown(later, pluginsv1alpha1.ReasonPending, fmt.Sprintf("waits for %s", p.condition))
	}
	l.conditions.False(pluginsv1alpha1.ConditionReady, p.reason, p.message)
	l.plugin.Status.LastError = conditions.Truncate(p.message)
	if err := r.failServing(ctx, l); err != nil {
		return ctrl.Result{}, errors.Join(p, err)
	}
	switch p.recovery {
	case retry:
		return ctrl.Result{}, p
	case wait:
		return ctrl.Result{RequeueAfter: r.lookAfter(l)}, nil
	default:
		return l.pollsSecrets(ctrl.Result{}), nil
	}
}

// withoutKinds returns the serving revision, and stops it if the problem is that its kinds are not served.
func (r *Reconciler) withoutKinds(l *load) *revision {
	current := r.serving.get(l.name)
	if current == nil || current.unserved != nil || !l.problem.isAboutKinds() || !current.plan.requested(l.plan) {
		return current
	}
	next := *current // other goroutines may read the current one
	next.unserved = l.problem
	r.stopFor(l, &next)
	return &next
}

// failServing reports in the status what serves instead of the wanted revision, and updates its webhooks and its
// watches. The error is about these.
func (r *Reconciler) failServing(ctx context.Context, l *load) (err error) {
	current := r.withoutKinds(l)
	unserved := current != nil && current.unserved != nil
	lost := current != nil && (unserved && l.problem.isLossOfRights() || !unserved && r.lostRights(l, current))
	cleanup := controllerutil.ContainsFinalizer(l.plugin, pluginsv1alpha1.FinalizerCleanup)
	switch {
	case lost:
		r.Watches.Stop(l.name)
		err = r.removeWebhooks(ctx, l.name)
	case current == nil && cleanup && l.problem.isLossOfRights():
		// A previous operator may have left webhook configurations whose requests nothing answers.
		err = r.removeWebhooks(ctx, l.name)
	case unserved, current == nil && cleanup:
		err = r.keepWebhooks(ctx, l, current)
	case current != nil && len(current.plan.admissionVerbs()) > 0 && l.problem.reason != pluginsv1alpha1.ReasonWebhooksFailed:
		err = r.applyWebhooks(ctx, l.plugin, current)
	}
	if current != nil && !lost && !unserved && l.problem.condition != pluginsv1alpha1.ConditionServing {
		err = errors.Join(err, r.resume(ctx, l, current))
	}
	if current != nil {
		l.displayed(current)
	}
	if lost || current == nil || unserved || current.plan.receivesEvents() && !r.Watches.Running(l.name, current.plan.watch) {
		if l.problem.condition != pluginsv1alpha1.ConditionServing {
			l.conditions.False(pluginsv1alpha1.ConditionServing, pluginsv1alpha1.ReasonNoRevision, "the plugin receives no events: "+notServing(l.problem, current))
		}
		l.conditions.False(pluginsv1alpha1.ConditionDegraded, pluginsv1alpha1.ReasonNoRevision, "no revision serves")
		l.retireRevision()
		return err
	}
	message := fmt.Sprintf("%s (version %s) keeps serving, because the current revision cannot: %s",
		current.status.ShortDigest, current.status.Version, l.problem.message)
	reason := pluginsv1alpha1.ReasonPreviousRevision
	if l.problem.reason == pluginsv1alpha1.ReasonRolledBack {
		reason = pluginsv1alpha1.ReasonRolledBack
	}
	l.conditions.True(pluginsv1alpha1.ConditionServing, pluginsv1alpha1.ReasonPreviousRevision, message)
	l.conditions.True(pluginsv1alpha1.ConditionDegraded, reason, message)
	return err
}

// notServing returns why no revision serves: the wanted one has a problem, and the previous one may have another.
func notServing(wanted *problem, current *revision) string {
	if current == nil || current.unserved == nil || current.unserved.message == wanted.message {
		return wanted.message
	}
	return wanted.message + "; the previous revision cannot serve either: " + current.unserved.message
}

// displayed makes the status report the serving revision, if it reports that of a previous leader, or was lost.
func (l *load) displayed(current *revision) {
	status, is := &l.plugin.Status, &current.status
	was := status.Revision
	if was != nil && was.Digest == is.Digest && was.Source == is.Source && was.Types == is.Types {
		return
	}
	if was != nil && was.Digest != is.Digest {
		status.PreviousDigest = was.Digest
	}
	status.Revision = is
}

// retireRevision moves the revision that no longer serves to status.previousDigest.
func (l *load) retireRevision() {
	if status := &l.plugin.Status; status.Revision != nil {
		status.PreviousDigest, status.Revision = status.Revision.Digest, nil
	}
}

// lostRights reports whether the load that failed is that of the serving revision: its ServiceAccount was deleted, or
// lacks permissions that it had. Then the serving revision must not receive events either.
func (r *Reconciler) lostRights(l *load, current *revision) bool {
	if l.problem.condition != pluginsv1alpha1.ConditionAuthorized && !l.problem.isLossOfRights() || l.problem.recovery == retry {
		return false
	}
	return current.plan.requested(l.plan)
}

// requested reports whether two plans need the same from the cluster.
func (p plan) requested(other plan) bool {
	return p.identity == other.identity && p.watch.EqualButKinds(other.watch) &&
		slices.Equal(p.admissionVerbs(), other.admissionVerbs()) &&
		slices.Equal(p.kinds(), other.kinds()) && slices.Equal(p.allowlist.Namespaces, other.allowlist.Namespaces)
}

// summarize returns what a plugin does as text, for a message.
func (p plan) summarize() string {
	var does []string
	if p.receivesEvents() {
		does = append(does, "receives events of "+p.types())
	}
	if len(p.admissionVerbs()) > 0 {
		does = append(does, "answers admission requests for "+p.types())
	}
	return strings.Join(does, " and ")
}
