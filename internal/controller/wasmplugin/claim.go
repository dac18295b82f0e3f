// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
)

// claim records what a revision leaves in the cluster before the revision can leave anything there, so that it is
// removed whatever happens in between.
type claim struct {
	status  *status
	replica *replica
}

func (c claim) run(ctx context.Context, l *load) *problem {
	p := l.plan
	if l.rollback != nil {
		p = l.rollback.to.plan
	}
	if !c.replica.leads() || !p.NeedsCleanup() {
		return nil
	}
	err := c.status.setCleanup(ctx, l, true)
	if err == nil {
		err = c.status.setFinalizedTypes(ctx, l, plan.With(l.plugin.Status.FinalizedTypes, p.Finalized()))
	}
	if err == nil {
		return nil
	}
	if l.compiled != nil {
		_ = l.compiled.runner.Close(ctx) // it never served
	}
	if apierrors.IsConflict(err) {
		return &problem{condition: pluginsv1alpha1.ConditionServing, reason: pluginsv1alpha1.ReasonPending, message: err.Error(), recovery: retryNow}
	}
	return &problem{
		condition: pluginsv1alpha1.ConditionServing, reason: pluginsv1alpha1.ReasonRecordFailed,
		message: "the kinds that the plugin finalizes could not be recorded: " + err.Error(), recovery: retry,
	}
}
