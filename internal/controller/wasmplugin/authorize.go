// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"fmt"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
	"github.com/k1s-io/k1s/internal/plugin"
)

// authorize checks that the plugin's ServiceAccount exists and has the permissions to watch the plugin's kinds, and
// that the operator has the permissions to watch them for the plugin.
type authorize struct {
	permissions permissions
	waits       *waits
}

func (a authorize) run(ctx context.Context, l *load) *problem {
	a.waits.end(l.name)
	if err := a.check(ctx, l); err != nil {
		return reviewProblem(err)
	}
	id := l.plan.Identity
	if id.Operator != "" {
		l.conditions.True(pluginsv1alpha1.ConditionAuthorized, pluginsv1alpha1.ReasonRBACDisabled, fmt.Sprintf(
			"RBAC is off for plugins of the plugin directory (--directory-plugins-without-rbac): the plugin acts as the operator itself, %q, within spec.security", id.Operator))
		return nil
	}
	l.conditions.True(pluginsv1alpha1.ConditionAuthorized, pluginsv1alpha1.ReasonSucceeded,
		fmt.Sprintf("ServiceAccount %q is allowed to %s %s", id.ServiceAccount, l.plan.TargetVerbs(), l.plan.Types()))
	return nil
}

func (a authorize) check(ctx context.Context, l *load) (err error) {
	if err := a.permissions.checkServiceAccount(ctx, l.plan.Identity); err != nil {
		return err
	}
	if err := a.permissions.checkWebhooks(l.plan); err != nil {
		return err
	}
	if l.kinds, err = a.permissions.resolve(ctx, l.plan); err != nil {
		if unserved := (*plugin.LoadError)(nil); errors.As(err, &unserved) {
			a.waits.forKinds(l.name, l.plan, unserved.Error())
		}
		return err
	}
	l.plan = l.plan.Using(l.kinds)
	if err := a.permissions.checkOperator(ctx, l.plan, l.kinds); err != nil {
		return err
	}
	// The error contains the commands that grant the missing permissions.
	lacks, err := missing(ctx, l.plan, l.kinds, a.permissions.authorizer.Refresh)
	if err != nil || len(lacks) == 0 {
		return err
	}
	a.waits.forPermissions(l.name, &scope{plan: l.plan, kinds: l.kinds}, lacks)
	return plugin.Reject(pluginsv1alpha1.ReasonAccountForbidden, "%s", plan.GrantMessage(l.plan.Identity, plan.GrantsFor(lacks)))
}

// reviewProblem is problemOf for an error that says that the API server, or the plugin directory, could not be asked.
func reviewProblem(err error) *problem {
	p := problemOf(pluginsv1alpha1.ConditionAuthorized, err)
	if p.reason == pluginsv1alpha1.ReasonSourceUnavailable {
		p.reason = pluginsv1alpha1.ReasonReviewFailed
	}
	return p
}
