// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/log"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// probationTime is how long the previous revision is kept at most, if there are too few calls to evaluate the new one.
const probationTime = 5 * time.Minute

// probation is the probation of a new revision, during which the previous revision is kept.
type probation struct {
	previous *revision
	until    time.Time
}

// rollback is the decision to roll back the serving revision.
type rollback struct {
	to        *revision
	rejection rejection
}

// rejection is a revision that was rolled back, and is not loaded again.
type rejection struct {
	fingerprint string
	message     string
}

func (r rejection) problem() *problem {
	return &problem{
		condition: pluginsv1alpha1.ConditionServing, reason: pluginsv1alpha1.ReasonRolledBack,
		message: r.message, recovery: stall,
	}
}

// evaluate ends the probation of the serving revision when its calls can be evaluated, or its time is over: the revision
// stays, or is to be rolled back to the previous one.
type evaluate struct {
	revisions   *Revisions
	permissions permissions
}

func (e evaluate) run(ctx context.Context, l *load) *problem {
	current := l.current
	if current == nil || current.probation == nil {
		return nil
	}
	verdict, cause := current.track.Verdict()
	previous := current.probation.previous
	before, _ := previous.track.Verdict()
	switch {
	case verdict == plugin.Failing && current.signer != "" && current.signer != previous.signer:
		// The spec, or the operator, may have been changed so that nothing runs which only the previous signer has signed.
		log.FromContext(ctx).Info("Keeping a revision whose first calls failed, as the previous one was not signed by the same signer",
			"failed", current.digest.Short(), "previous", previous.digest.Short(), "signer", current.signer, "error", cause.Error())
		l.current = e.revisions.keep(l.name)
	case verdict == plugin.Failing && before != plugin.Failing:
		kinds, err := e.permissions.resolve(ctx, previous.plan)
		if err != nil {
			return nil //nolint:nilerr // the previous revision could not serve either; the probation continues
		}
		back := *previous
		back.scope = &scope{plan: previous.plan.Using(kinds), kinds: kinds, finalizer: previous.finalizer}
		back.unserved = nil
		l.rollback = &rollback{to: &back, rejection: rejection{fingerprint: current.fingerprint, message: fmt.Sprintf(
			"%s (version %s) was rolled back, because its first calls failed: %v; it is not retried until the spec or the module changes",
			current.digest.Short(), current.plan.Metadata.Version, cause)}}
		log.FromContext(ctx).Info("Rolling back a revision whose first calls failed",
			"failed", current.digest.Short(), "previous", back.digest.Short(), "error", cause.Error())
	case verdict != plugin.Unproven, e.revisions.clock.Now().After(current.probation.until):
		l.current = e.revisions.keep(l.name)
	}
	return nil
}

// rejectRolledBack ends the load if the wanted revision was rolled back before. Then the serving revision receives its
// events, whatever the rest of the spec asks for.
func rejectRolledBack(_ context.Context, l *load) *problem {
	if l.current == nil || l.current.rejected == nil || l.current.rejected.fingerprint != l.plan.Fingerprint(l.module.Digest) {
		return nil
	}
	return l.current.rejected.problem()
}
